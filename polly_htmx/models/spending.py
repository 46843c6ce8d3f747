"""
Spending: what was used today, what running replies have reserved, and what is left.

Whoever asks for a share holds the lock of the person, of the Parrot, or of both, until
its reservation is stored: so of many that ask at once only those get one that fit.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import connections, router
from django.db.models import BigIntegerField, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from polly_htmx.conf import conf
from polly_htmx.llm.estimates import Estimate
from polly_htmx.models.exceptions import DayUsedUp, OwnDayUsedUp, ParrotsDayUsedUp

if TYPE_CHECKING:
    from polly_htmx.models.parrots import Parrot

NOTHING = Decimal(0)
SHORT = 1_000
"""Tokens, at most, of a question in a new chat: a character and some sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Tokens and US dollars."""

    tokens: int
    cost: Decimal


@dataclass(frozen=True, kw_only=True)
class Share:
    """What may be taken for one answer."""

    input: int
    output: int
    cost: Decimal

    @property
    def tokens(self) -> int:
        """Those of question and answer together."""
        return self.input + self.output


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """What somebody or something may have in a day; 0 stands for no bound."""

    tokens: int
    cost: Decimal
    calls: Q
    """Of ModelCall: what counts."""
    replies: Q
    """Of Message: the replies that count."""
    refusal: type[DayUsedUp]

    def __bool__(self) -> bool:
        return bool(self.tokens or self.cost)

    def left(self, spent: Spent) -> tuple[int | None, Decimal | None]:
        """Return the tokens and dollars that are left, None for what has no bound."""
        return (
            self.tokens - spent.tokens if self.tokens else None,
            self.cost - spent.cost if self.cost else None,
        )


@dataclass(frozen=True, slots=True)
class Day:
    """How a cap stands, while the caller holds its lock."""

    cap: Cap
    used: Spent
    """By calls that have ended."""
    taken: Spent
    """By those, and by what runs."""

    def output_for(self, estimate: Estimate) -> int:
        """Return how long an answer may be; raises a DayUsedUp where none fits."""
        if output := estimate.output_within(*self.cap.left(self.taken)):
            return output
        reason = "used"
        if estimate.output_within(*self.cap.left(self.used)):
            reason = "held"
        else:
            short = replace(estimate, input=min(estimate.input, SHORT))
            if short.output_within(*self.cap.left(self.taken)):
                reason = "long"
        raise self.cap.refusal(reason, seconds_left())


def cap_of_person(user_id: Any, visitor: uuid.UUID | None) -> Cap:
    """Return the site's cap for a user, or for a visitor."""
    who = {"user_id": user_id} if user_id is not None else {"visitor": visitor}
    return Cap(
        tokens=conf.DAILY_TOKENS,
        cost=Decimal(str(conf.DAILY_COST)),
        calls=Q(**who),
        replies=Q(**{f"conversation__{name}": key for name, key in who.items()}),
        refusal=OwnDayUsedUp,
    )


def cap_of_parrot(parrot: Parrot) -> Cap:
    """Return a Parrot's own cap, as the object has it."""
    return Cap(
        tokens=parrot.daily_tokens or 0,
        cost=parrot.daily_cost or NOTHING,
        calls=Q(version__in=parrot.versions.order_by().values("pk")),
        replies=Q(version__parrot=parrot.pk),
        refusal=ParrotsDayUsedUp,
    )


def lock_parrot(parrot: Parrot, using: str) -> bool:
    """
    Let nobody else take of this Parrot's day until the transaction ends.

    Comes after all other locks. The caps are read again under it: tells if there are
    any. Only for a Parrot that had some.
    """
    row = type(parrot).objects.using(using).filter(pk=parrot.pk)
    features = connections[using].features
    if features.has_select_for_update:
        row = row.select_for_update(no_key=features.has_select_for_no_key_update)
    else:
        # The one lock of all: a read would not take it.
        row.update(daily_tokens=F("daily_tokens"))
    found = row.values_list("daily_tokens", "daily_cost").first()
    parrot.daily_tokens, parrot.daily_cost = found or (None, None)
    return parrot.has_caps


def day_of(cap: Cap, using: str | None = None) -> Day:
    """Return how a cap stands today: two queries, one of them over today's calls."""
    # What runs first: an end waits for no lock of a cap, and what comes to it in between
    # is counted twice for a moment. The other way round it would not be counted at all.
    running = _rows("Message", using).running().filter(cap.replies)
    reserved = _sum(
        running.exclude(reserved_input=None),
        F("reserved_input") + F("reserved_output"),
        F("reserved_cost"),
    )
    calls = _rows("ModelCall", using).filter(cap.calls, created_at__gte=today()[0])
    used = _sum(
        calls,
        Coalesce(
            "held_tokens",
            F("input_tokens") + F("output_tokens"),
            output_field=BigIntegerField(),
        ),
        Coalesce("held_cost", "cost"),
    )
    taken = Spent(tokens=used.tokens + reserved.tokens, cost=used.cost + reserved.cost)
    return Day(cap, used, taken)


def share_for(estimate: Estimate, days: list[Day]) -> Share:
    """Return what one answer may take of all that bounds it; raises a DayUsedUp."""
    output = min(day.output_for(estimate) for day in days)
    return Share(input=estimate.input, output=output, cost=estimate.cost(output))


def today() -> tuple[datetime, datetime]:
    """
    Return when this day has begun and when it ends.

    By TIME_ZONE, and not by the zone that is active: a cap is the same for all who
    share it, and the process that counts may be nobody's.
    """
    now = timezone.now()
    zone = None
    if timezone.is_aware(now):
        zone = timezone.get_default_timezone()
        now = now.astimezone(zone)
    date, midnight = now.date(), time.min
    tomorrow = date + timedelta(days=1)
    return (
        datetime.combine(date, midnight, tzinfo=zone),
        datetime.combine(tomorrow, midnight, tzinfo=zone),
    )


def seconds_left() -> int:
    """Return the seconds until the day ends."""
    # Both by the clock of the world: a day may have 23 or 25 hours.
    return max(1, int(today()[1].timestamp() - timezone.now().timestamp()))


def _rows(name: str, using: str | None) -> Any:
    # By name: a Parrot asks for its own day, and is known before these.
    model = apps.get_model("polly_htmx", name)
    alias = using or router.db_for_write(model)  # A replica may be late.
    return model._default_manager.using(alias).order_by()


def _sum(rows: QuerySet[Any], tokens: Any, cost: Any) -> Spent:
    found = rows.aggregate(tokens=Sum(tokens), cost=Sum(cost))
    return Spent(tokens=found["tokens"] or 0, cost=found["cost"] or NOTHING)
