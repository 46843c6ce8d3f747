"""What replies reserve of a day: one by one, at once, and what becomes of it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from polly_htmx.access import Who
from polly_htmx.chat import (
    Turn,
    edit_message,
    regenerate,
    run_reply,
    stop_reply,
    take_turn,
)
from polly_htmx.chat.leases import interrupt_expired
from polly_htmx.models import (
    Message,
    ModelCall,
    Parrot,
    SmartConversation,
    spending,
)
from polly_htmx.models.exceptions import OwnDayUsedUp, ParrotsDayUsedUp
from tests.chat.caps import Setup, chats, need, setup, spend
from tests.chat.halves import reply_of
from tests.chat.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_day")]

__all__ = ["setup"]


def test_what_is_reserved_and_not_taken_is_given_back(
    conversation: SmartConversation, who: Who, setup: Setup
) -> None:
    room = need(conversation, who, setup)
    setup(DAILY_TOKENS=room)
    stop_reply(reply_of(take_turn(conversation, "Hi", who=who)), who=who)
    conversation.messages.all().delete()
    setup(DAILY_TOKENS=room, script={"fault": "unavailable"})
    reply = reply_of(take_turn(conversation, "Hi", who=who))
    run_reply(reply)
    assert reply.calls.get().held_tokens is None
    conversation.messages.all().delete()
    setup(DAILY_TOKENS=room)
    take_turn(conversation, "Hi", who=who)


def test_an_ended_reply_counts_by_what_it_took(
    conversation: SmartConversation, who: Who, setup: Setup
) -> None:
    room = need(conversation, who, setup)
    setup(DAILY_TOKENS=room + 2)
    run_reply(reply_of(take_turn(conversation, "Hi", who=who)))
    assert ModelCall.objects.get().output_tokens == 2
    conversation.messages.all().delete()
    take_turn(conversation, "Hi", who=who)


@pytest.mark.parametrize("fault", ["died", "hang"])
def test_call_of_which_nobody_knows_counts_what_was_reserved(
    conversation: SmartConversation, who: Who, setup: Setup, fault: str
) -> None:
    script = {} if fault == "died" else {"fault": fault}
    setup(DAILY_TOKENS=100_000, script=script, FIRST_TOKEN_TIMEOUT=0.1)
    reply = reply_of(take_turn(conversation, "Hi", who=who))
    if fault == "died":
        then = timezone.now() - timedelta(seconds=1)
        row = Message.objects.filter(pk=reply.pk)
        row.update(status=Message.Status.STREAMING, lease_until=then)
        assert interrupt_expired() == 1
    else:
        run_reply(reply)
    call = reply.calls.get()
    assert call.input_tokens is None
    assert call.held_tokens == reply.reserved_tokens
    setup(DAILY_TOKENS=(reply.reserved_tokens or 0) + 10)
    with pytest.raises(OwnDayUsedUp):
        regenerate(reply, who=who)


def test_hidden_thoughts_of_a_broken_answer_count_as_reserved(
    conversation: SmartConversation, who: Who, setup: Setup, settings: LazySettings
) -> None:
    setup(DAILY_TOKENS=100_000, script={"fault": "error"})
    settings.POLLY["MODELS"]["M"]["takes"] = {"reasoning": True}
    reply = reply_of(take_turn(conversation, "Hi", who=who))
    run_reply(reply)
    call = reply.calls.get()
    assert call.exactness == "estimated"
    assert call.held_tokens == reply.reserved_tokens


def test_a_long_chat_reserves_by_what_the_provider_has_counted(
    conversation: SmartConversation, who: Who, setup: Setup
) -> None:
    setup(DAILY_TOKENS=100_000)
    reply = reply_of(take_turn(conversation, "Hi" * 5000, who=who))
    run_reply(reply)
    turn = take_turn(conversation, "Ho", who=who)
    assert reserved(turn, who) > 10_000
    reply.calls.update(input_tokens=2000)
    # Behind an answer that was stopped, and so was not counted.
    assert reserved(take_turn(conversation, "Ho", who=who), who) > 10_000
    turn = edit_message(turn.message, "Ho", who=who)
    assert 2000 < reserved(turn, who) < 2500
    Message.objects.filter(pk=reply.pk).update(left_out=1)
    turn = edit_message(turn.message, "Ha", who=who)
    assert reserved(turn, who) > 10_000


def reserved(turn: Turn, who: Who) -> int:
    """Return what a turn has reserved for its question, and end it."""
    reply = stop_reply(reply_of(turn), who=who)
    assert reply.reserved_input
    return reply.reserved_input


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fitting", [1, 3])
def test_of_twenty_messages_at_once_those_pass_that_fit(
    parrot: Parrot,
    conversation: SmartConversation,
    who: Who,
    setup: Setup,
    fitting: int,
) -> None:
    room = need(conversation, who, setup)
    setup(DAILY_TOKENS=1000 + fitting * room + room - 1)
    spend(1000, user=who.user)
    mine = chats(parrot, *[who.user] * 20)
    results = at_once(partial(take_turn, chat, "Hi", who=who) for chat in mine)
    assert [type(each) for each in results].count(Turn) == fitting
    assert {type(each) for each in results} == {Turn, OwnDayUsedUp}
    assert Message.objects.running().count() == fitting


@pytest.mark.django_db(transaction=True)
def test_of_twenty_people_at_once_those_pass_whom_the_parrot_has_room_for(
    parrot: Parrot,
    conversation: SmartConversation,
    who: Who,
    setup: Setup,
    django_user_model: type[User],
) -> None:
    room = need(conversation, who, setup)
    setup(DAILY_TOKENS=10**6)
    parrot.daily_tokens = 2 * room - 1
    parrot.save()
    people = [django_user_model(username=f"person {each}") for each in range(20)]
    people = django_user_model.objects.bulk_create(people)
    results = at_once(
        partial(take_turn, chat, "Hi", who=Who(user=chat.user))
        for chat in chats(parrot, *people)
    )
    assert [type(each) for each in results].count(Turn) == 1
    assert {type(each) for each in results} == {Turn, ParrotsDayUsedUp}


def test_reply_that_ends_while_the_day_is_counted_is_not_missed(
    conversation: SmartConversation, who: Who, setup: Setup
) -> None:
    setup(DAILY_TOKENS=100_000)
    reply = reply_of(take_turn(conversation, "Hi", who=who))
    ended: list[str] = []

    def end_meanwhile(execute: Any, sql: str, *rest: Any) -> Any:
        found = execute(sql, *rest)
        if not ended:
            ended.append(sql)
            row = Message.objects.filter(pk=reply.pk)
            row.update(status=Message.Status.COMPLETE)
            spend(50, user=who.user, reply=reply)
        return found

    with connection.execute_wrapper(end_meanwhile):
        day = spending.day_of(spending.cap_of_person(conversation.user_id, None))
    assert ended
    assert day.taken.tokens >= 50
