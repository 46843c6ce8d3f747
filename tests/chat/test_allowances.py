"""Daily caps: what fits into a day passes, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from polly_htmx.access import Who
from polly_htmx.chat import (
    continue_reply,
    edit_message,
    regenerate,
    stop_reply,
    take_turn,
)
from polly_htmx.hooks import Hook
from polly_htmx.models import (
    Message,
    ModelCall,
    Parrot,
    SmartConversation,
    spending,
)
from polly_htmx.models.exceptions import DayUsedUp, OwnDayUsedUp, ParrotsDayUsedUp
from tests.chat.caps import DOLLAR, Setup, chats, need, setup, spend
from tests.chat.halves import question_of, reply_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_day")]

__all__ = ["setup"]


def test_nothing_is_reserved_where_nothing_is_capped(
    conversation: SmartConversation, who: Who, setup: Setup
) -> None:
    reply = reply_of(take_turn(conversation, "Hi", who=who))
    reply.refresh_from_db()
    assert (reply.reserved_tokens, reply.reserved_cost) == (None, None)


@pytest.mark.parametrize("money", [False, True])
def test_a_reply_begins_if_all_that_it_may_take_is_left(
    parrot: Parrot,
    conversation: SmartConversation,
    who: Who,
    setup: Setup,
    *,
    money: bool,
) -> None:
    room = need(conversation, who, setup)
    key = "DAILY_COST" if money else "DAILY_TOKENS"
    setup(price=DOLLAR, **{key: room + 7})
    spend(8, cost=8, user=who.user)
    with pytest.raises(OwnDayUsedUp):
        take_turn(conversation, "Hi", who=who)
    assert not conversation.messages.exists()
    ModelCall.objects.update(input_tokens=7, cost=7)
    reply = reply_of(take_turn(conversation, "Hi", who=who))
    assert reply.reserved_tokens == room
    assert reply.reserved_cost == room


def test_what_is_used_counts_for_its_own_person_alone(
    conversation: SmartConversation, who: Who, other_user: User, setup: Setup
) -> None:
    setup(DAILY_TOKENS=1000)
    spend(5000, user=other_user)
    spend(5000, visitor=conversation.external_id)
    take_turn(conversation, "Hi", who=who)


def test_visitors_have_a_day_of_their_own(
    parrot: Parrot, conversation: SmartConversation, setup: Setup
) -> None:
    setup(DAILY_TOKENS=1000, ALLOW_ANONYMOUS=True)
    visitor = conversation.external_id
    chat = SmartConversation.objects.create(parrot=parrot, visitor=visitor)
    spend(5000, user=conversation.user)
    stop_reply(
        reply_of(take_turn(chat, "Hi", who=Who(visitor=visitor))),
        who=Who(visitor=visitor),
    )
    spend(5000, visitor=visitor)
    with pytest.raises(OwnDayUsedUp):
        take_turn(chat, "Hi", who=Who(visitor=visitor))


def test_parrots_cap_counts_all_people_and_all_versions(
    parrot: Parrot,
    conversation: SmartConversation,
    who: Who,
    other_user: User,
    setup: Setup,
) -> None:
    other = Parrot.objects.create(name="Other", model="M")
    spend(5000, user=other_user, version=other.current_version())
    spend(600, user=other_user, version=parrot.current_version())
    parrot.system_prompt, parrot.daily_tokens = "Another character.", 1000
    parrot.save()
    conversation.refresh_from_db()
    take_turn(conversation, "Hi", who=who)
    spend(200, version=parrot.current_version())
    (chat,) = chats(parrot, other_user)
    with pytest.raises(ParrotsDayUsedUp) as caught:
        take_turn(chat, "Hi", who=Who(user=other_user))
    assert "Parrot" in str(caught.value.user_message)


def test_every_way_to_ask_a_model_is_capped(
    conversation: SmartConversation, who: Who, setup: Setup
) -> None:
    setup(DAILY_TOKENS=100_000)
    turn = take_turn(conversation, "Hi", who=who)
    reply = stop_reply(reply_of(turn), who=who)
    spend(100_000, user=who.user)
    for refused in (
        lambda: regenerate(reply, who=who),
        lambda: edit_message(turn.message, "Hu", who=who),
        lambda: continue_reply(reply, who=who),
        lambda: take_turn(conversation, "He", who=who),
    ):
        with pytest.raises(OwnDayUsedUp):
            refused()
    assert conversation.messages.count() == 2
    reply.refresh_from_db()
    assert reply.status == Message.Status.STOPPED
    ModelCall.objects.all().delete()
    ways: list[Callable[[], Message]] = [
        lambda: continue_reply(reply, who=who),
        lambda: regenerate(reply, who=who),
        lambda: reply_of(edit_message(question_of(reply), "Hu", who=who)),
    ]
    for allowed in ways:
        begun = allowed()
        begun.refresh_from_db()
        assert begun.reserved_tokens
        stop_reply(begun, who=who)


def test_a_continued_reply_reserves_anew_or_nothing(
    conversation: SmartConversation, who: Who, setup: Setup
) -> None:
    setup(DAILY_TOKENS=100_000)
    reply = stop_reply(reply_of(take_turn(conversation, "Hi", who=who)), who=who)
    assert reply.reserved_tokens
    setup(DAILY_TOKENS=0)
    again = continue_reply(reply, who=who)
    again.refresh_from_db()
    assert again.reserved_tokens is None


def test_refusal_says_whether_waiting_or_a_shorter_chat_helps(
    conversation: SmartConversation, parrot: Parrot, who: Who, setup: Setup
) -> None:
    room = need(conversation, who, setup)
    setup(DAILY_TOKENS=room + 2000)
    (chat,) = chats(parrot, who.user)
    held = {"reserved_input": 2000, "reserved_output": 1, "reserved_cost": 0}
    running = reply_of(take_turn(chat, "Hi", who=who))
    Message.objects.filter(pk=running.pk).update(**held)
    assert "try again when they have ended" in refusal(conversation, "Hi", who)
    stop_reply(running, who=who)
    assert "too little for a chat as long" in refusal(conversation, "Hi" * 1999, who)
    setup(DAILY_TOKENS=10)
    assert "You have used up your share" in refusal(conversation, "Hi", who)


def refusal(conversation: SmartConversation, text: str, who: Who) -> str:
    with pytest.raises(DayUsedUp) as caught:
        take_turn(conversation, text, who=who)
    said = str(caught.value.user_message)
    assert not any(each in said for each in ("token", "dollar", "$"))
    return said


def test_a_cap_set_meanwhile_counts_at_once_and_one_taken_away_no_more(
    conversation: SmartConversation, parrot: Parrot, who: Who, setup: Setup
) -> None:
    parrot.daily_cost = Decimal(1)
    conversation.parrot = parrot
    Parrot.objects.filter(pk=parrot.pk).update(daily_tokens=10)
    with pytest.raises(ParrotsDayUsedUp):
        take_turn(conversation, "Hi", who=who)
    Parrot.objects.filter(pk=parrot.pk).update(daily_tokens=None, daily_cost=None)
    take_turn(conversation, "Hi", who=who)


class Watch(Hook):
    """Notes each message that it is asked about."""

    seen: list[str] = []

    def message(self, text: str, **_about: Any) -> str:
        self.seen.append(text)
        return text


def test_hooks_are_not_asked_about_what_the_day_has_no_room_for(
    conversation: SmartConversation, who: Who, setup: Setup, monkeypatch: Any
) -> None:
    monkeypatch.setattr(Watch, "seen", [])
    setup(DAILY_TOKENS=10, HOOKS=[f"{__name__}.Watch"])
    with pytest.raises(OwnDayUsedUp):
        take_turn(conversation, "Hi", who=who)
    assert Watch.seen == []


def test_a_message_to_staff_takes_nothing(
    conversation: SmartConversation, who: Who, setup: Setup
) -> None:
    setup(DAILY_TOKENS=10, HOOKS=[f"{__name__}.Watch"])
    conversation.answered_by = SmartConversation.AnsweredBy.STAFF
    conversation.save()
    assert take_turn(conversation, "Hi", who=who).reply is None


def test_without_a_cap_a_turn_asks_for_nothing_more(
    conversation: SmartConversation,
    parrot: Parrot,
    who: Who,
    setup: Setup,
    django_assert_max_num_queries: Any,
) -> None:
    def statements() -> int:
        with django_assert_max_num_queries(100) as asked:
            reply = reply_of(take_turn(conversation, "Hi", who=who))
        stop_reply(reply, who=who)
        return len(asked.captured_queries)

    conversation.parrot = parrot
    statements()
    plain = statements()
    setup(DAILY_TOKENS=100_000)
    of_person = statements()
    setup(DAILY_TOKENS=0)
    parrot.daily_tokens = 100_000
    parrot.save()
    of_parrot = statements()
    assert of_person == plain + 4
    # SQLite has no lock for a row: an UPDATE takes that of the database.
    locks = 1 if connection.features.has_select_for_update else 2
    assert of_parrot == of_person + locks


@pytest.mark.parametrize("whose", ["user", "visitor", "parrot"])
def test_days_sum_is_found_by_an_index(
    parrot: Parrot, user: User, conversation: SmartConversation, whose: str
) -> None:
    cap = spending.cap_of_parrot(parrot)
    if whose != "parrot":
        visitor = conversation.external_id if whose == "visitor" else None
        cap = spending.cap_of_person(None if visitor else user.pk, visitor)
    begun, _over = spending.today()
    calls = ModelCall.objects.filter(cap.calls, created_at__gte=begun).order_by()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # There are too few rows for an index to pay off.
            cursor.execute("SET LOCAL enable_seqscan = off")
        plan = calls.explain()
    assert "polly_call_" in plan
