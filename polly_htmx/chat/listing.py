"""Listing: a person's chats by days, newest first, page by page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from polly_htmx import access
from polly_htmx.access import Who
from polly_htmx.managers import SmartConversationQuerySet
from polly_htmx.models import SmartConversation

PAGE = 30
PINS = 100
"""Pinned chats that are shown at the most; they come all at once."""
WEEK = 7
MAX_CURSOR = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Some neighbouring chats under one heading."""

    name: str
    rows: list[SmartConversation]
    goes_on: bool = False
    """Whether the page before has the heading already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of the list."""

    groups: list[Group] = field(default_factory=list)
    more: str = ""
    """From where the next page goes on; "" on the last one."""


def listing(who: Who, *, before: str = "", archived: bool = False) -> Listing:
    """
    Return a page of a person's chats, or of the archived ones.

    ``before`` is what the page before says in ``more``; nonsense counts as nothing. By
    place and not by number, so nothing is shown twice when chats move meanwhile.
    """
    own = access.conversations_of(who).select_related("parrot").with_opening()
    place = _read(before)
    groups = [] if place or archived else _pinned(own)
    rows = own.filter(archived_at__isnull=not archived)
    if not archived:
        rows = rows.filter(pinned_at=None)
    if place:
        moment, key = place
        # The first condition is for the index, the second for chats of one moment.
        rows = rows.filter(updated_at__lte=moment)
        rows = rows.exclude(updated_at=moment, pk__gte=key)
    found = list(rows.newest_first()[: PAGE + 1])
    groups += _by_day(found[:PAGE], place and place[0])
    more = _write(found[PAGE - 1]) if len(found) > PAGE else ""
    return Listing(groups=groups, more=more)


def _pinned(own: SmartConversationQuerySet) -> list[Group]:
    pins = own.filter(pinned_at__isnull=False, archived_at=None)
    found = list(pins.order_by("-pinned_at", "-pk")[:PINS])
    return [Group(name=_("Pinned"), rows=found)] if found else []


def _by_day(rows: Iterable[SmartConversation], before: datetime | None) -> list[Group]:
    today = timezone.localdate()
    last = _name(before, today) if before else ""
    return [
        Group(name=name, rows=list(group), goes_on=name == last)
        for name, group in groupby(rows, lambda row: _name(row.updated_at, today))
    ]


def _name(moment: datetime, today: date) -> str:
    """Return the heading for a moment, in the person's language and time zone."""
    day = timezone.localdate(moment)
    days = (today - day).days
    if days < 1:
        return _("Today")
    if days == 1:
        return _("Yesterday")
    if days <= WEEK:
        return _("Previous 7 days")
    form = "F" if day.year == today.year else "YEAR_MONTH_FORMAT"
    return date_format(day, form)


def _write(row: SmartConversation) -> str:
    return f"{(row.updated_at - _EPOCH) // _TICK}-{row.pk}"


def _read(cursor: str) -> tuple[datetime, int] | None:
    moment, _dash, key = cursor.partition("-")
    digits = moment + key
    if len(cursor) > MAX_CURSOR or not (digits.isascii() and moment.isdecimal()):
        return None
    try:
        return _EPOCH + int(moment) * _TICK, int(key)
    except (ValueError, OverflowError):
        return None


def moved_since(
    who: Who, moment: datetime, *, archived: bool = False
) -> list[SmartConversation]:
    """Return a page of a person's chats that have come up since, the newest first; or
    of those that were archived since."""
    since = Q(archived_at=None, updated_at__gt=moment)
    if archived:
        since = Q(archived_at__gt=moment)
    own = access.conversations_of(who).filter(since)
    return list(own.select_related("parrot").with_opening().newest_first()[:PAGE])


def row_of(own: SmartConversationQuerySet, key: str) -> SmartConversation | None:
    """Return one of a person's chats with all that its row shows; None if it is gone."""
    found = own.filter(external_id=key).select_related("parrot")
    return found.with_opening().first()
