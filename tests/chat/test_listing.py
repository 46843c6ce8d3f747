"""The list: by days, in pages that lose nothing when chats move."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone, translation

from polly_htmx.access import Who
from polly_htmx.chat import listing as module
from polly_htmx.chat.listing import listing
from polly_htmx.models import Parrot, SmartConversation

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)


@pytest.fixture
def soon_after_midnight(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let it be half past one: there is no other way to stand there."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    with timezone.override(UTC):
        yield


def make(parrot: Parrot, user: User, title: str, **fields: Any) -> SmartConversation:
    made = SmartConversation.objects.create(parrot=parrot, user=user, title=title)
    SmartConversation.objects.filter(pk=made.pk).update(**fields)
    return made


def names(page: module.Listing) -> dict[str, list[str]]:
    return {group.name: [row.title for row in group.rows] for group in page.groups}


def test_chats_stand_under_their_days(
    parrot: Parrot, user: User, who: Who, soon_after_midnight: None
) -> None:
    ages = {"now": 0, "hours": 2, "day": 26, "week": 5 * 24, "month": 20 * 24}
    for title, hours in {**ages, "year": 400 * 24}.items():
        make(parrot, user, title, updated_at=NOW - timedelta(hours=hours))
    make(parrot, user, "old but dear", pinned_at=NOW, updated_at=NOW)
    make(parrot, user, "away", archived_at=NOW, updated_at=NOW)
    assert names(listing(who)) == {
        "Pinned": ["old but dear"],
        "Today": ["now"],
        "Yesterday": ["hours"],
        "Previous 7 days": ["day", "week"],
        "November": ["month"],
        "October 2025": ["year"],
    }
    assert names(listing(who, archived=True)) == {"Today": ["away"]}


def test_the_day_is_that_of_the_persons_time_zone(
    parrot: Parrot, user: User, who: Who, soon_after_midnight: None
) -> None:
    make(parrot, user, "late", updated_at=NOW - timedelta(hours=2))
    assert names(listing(who)) == {"Yesterday": ["late"]}
    with timezone.override("America/New_York"), translation.override("de"):
        assert names(listing(who)) == {"Heute": ["late"]}
    with translation.override("de"):
        assert names(listing(who)) == {"Gestern": ["late"]}


def test_pages_show_each_chat_once_though_others_move(
    parrot: Parrot, user: User, who: Who
) -> None:
    same = timezone.now() - timedelta(days=3)
    for number in range(3 * module.PAGE):
        make(parrot, user, str(number), updated_at=same)  # One clock tick for all.
    seen: list[str] = []
    page = listing(who)
    while True:
        seen += [row.title for group in page.groups for row in group.rows]
        make(parrot, user, "newer", updated_at=timezone.now())
        if not page.more:
            break
        page = listing(who, before=page.more)
        assert page.groups[0].goes_on
    assert sorted(seen, key=int) == [str(number) for number in range(90)]


@pytest.mark.parametrize(
    "cursor",
    ["x", "-", "1-", "-1", "1-x", "9" * 39, f"{'9' * 30}-1", "\u0661-\u0661", "1-1-1"],
)
def test_nonsense_for_a_place_is_the_first_page(
    conversation: SmartConversation, who: Who, cursor: str
) -> None:
    assert len(listing(who, before=cursor).groups) == 1


def test_the_list_takes_few_queries(
    parrot: Parrot, user: User, who: Who, django_assert_num_queries: Any
) -> None:
    for number in range(40):
        make(parrot, user, f"{number}" if number % 2 else "")
    with django_assert_num_queries(2):
        page = listing(who)
        assert [row.label for group in page.groups for row in group.rows]
