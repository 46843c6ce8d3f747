"""Days: when one begins and ends, and what runs from one into the next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import LazySettings
from django.utils import timezone

from polly_htmx.access import Who
from polly_htmx.chat import take_turn
from polly_htmx.models import Message, ModelCall, Parrot, SmartConversation, spending
from polly_htmx.models.exceptions import OwnDayUsedUp
from tests.chat.halves import reply_of

pytestmark = pytest.mark.django_db

Clock = Callable[[datetime], None]


@pytest.fixture
def cap(settings: LazySettings) -> None:
    settings.TIME_ZONE = "UTC"
    settings.POLLY = {**settings.POLLY, "DAILY_TOKENS": 10_000}


def spend(who: Who, when: datetime) -> None:
    """Let calls have taken all of the day at a moment."""
    call = ModelCall.objects.create(
        purpose="reply",
        exactness="exact",
        input_tokens=10_000,
        output_tokens=0,
        user=who.user,
    )
    ModelCall.objects.filter(pk=call.pk).update(created_at=when)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return a function that stops the clock at a moment."""
    return lambda now: monkeypatch.setattr(timezone, "now", lambda: now)


def test_a_day_is_that_of_the_site(
    conversation: SmartConversation,
    who: Who,
    cap: None,
    settings: LazySettings,
    clock: Clock,
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    midnight = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
    spend(who, midnight)
    clock(midnight + timedelta(hours=2))
    with timezone.override("America/New_York"), pytest.raises(OwnDayUsedUp) as caught:
        take_turn(conversation, "Hi", who=who)
    assert "There is more in 22 hours." in str(caught.value.user_message)
    clock(midnight + timedelta(hours=23, minutes=59, seconds=30))
    with pytest.raises(OwnDayUsedUp) as caught:
        take_turn(conversation, "Hi", who=who)
    assert "There is more in 1 minute." in str(caught.value.user_message)
    clock(midnight + timedelta(days=1))
    take_turn(conversation, "Hi", who=who)


def test_days_on_which_the_clock_is_changed_end_at_midnight_too(
    conversation: SmartConversation,
    who: Who,
    cap: None,
    settings: LazySettings,
    clock: Clock,
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    midnight = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)  # A day of 25 hours.
    spend(who, midnight)
    clock(midnight)
    with pytest.raises(OwnDayUsedUp) as caught:
        take_turn(conversation, "Hi", who=who)
    assert "There is more in 25 hours." in str(caught.value.user_message)


def test_what_runs_over_midnight_counts_in_the_new_day(
    conversation: SmartConversation,
    parrot: Parrot,
    who: Who,
    cap: None,
    clock: Clock,
) -> None:
    clock(datetime(2026, 11, 22, 23, 59, tzinfo=UTC))
    running = reply_of(take_turn(conversation, "Hi", who=who))
    Message.objects.filter(pk=running.pk).update(reserved_input=10_000)
    clock(datetime(2026, 11, 23, 0, 1, tzinfo=UTC))
    chat = SmartConversation.objects.create(parrot=parrot, user=who.user)
    with pytest.raises(OwnDayUsedUp) as caught:
        take_turn(chat, "Hi", who=who)
    assert "when they have ended" in str(caught.value.user_message)


def test_what_is_settled_after_midnight_belongs_to_the_day_that_held_it(
    parrot: Parrot, clock: Clock
) -> None:
    evening = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)
    clock(evening)
    about = {"purpose": "ask", "version": parrot.current_version()}
    held = ModelCall.hold(500, Decimal(0), using="default", **about)
    clock(evening + timedelta(minutes=2))
    call = ModelCall(exactness="exact", input_tokens=1, output_tokens=1, **about)
    ModelCall.settle([call], held, using="default")
    assert ModelCall.objects.get().created_at == evening


def test_a_site_without_time_zones_has_days_too(
    settings: LazySettings, clock: Clock
) -> None:
    settings.USE_TZ = False
    clock(datetime(2026, 11, 22, 21, 30))
    begun, over = spending.today()
    assert (begun.isoformat(), over.isoformat()) == (
        "2026-11-22T00:00:00",
        "2026-11-23T00:00:00",
    )
    assert spending.seconds_left() == 2.5 * 3600
