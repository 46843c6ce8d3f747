"""Limits: what counts, what a refusal says, and that several at once change nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.utils import timezone

from polly_htmx import exceptions
from polly_htmx.access import Who
from polly_htmx.chat import (
    Turn,
    continue_reply,
    edit_message,
    regenerate,
    stop_reply,
    take_turn,
)
from polly_htmx.models import Message, Parrot, SmartConversation
from tests.chat.halves import question_of, reply_of
from tests.chat.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def who(user: User) -> Who:
    return Who(user=user)


@pytest.fixture
def limit(settings: LazySettings) -> Callable[..., None]:
    """Return a function that sets keys of POLLY."""

    def set_keys(**keys: int) -> None:
        settings.POLLY = {**settings.POLLY, **keys}

    return set_keys


Limit = Callable[..., None]


def stopped(conversation: SmartConversation, who: Who, text: str = "Hi") -> Message:
    return stop_reply(reply_of(take_turn(conversation, text, who=who)), who=who)


def chats(parrot: Parrot, who: Who, count: int) -> list[SmartConversation]:
    return [
        SmartConversation.objects.create(parrot=parrot, user=who.user)
        for _ in range(count)
    ]


def aged(seconds: float, **which: Any) -> None:
    """Let some messages have begun earlier."""
    then = timezone.now() - timedelta(seconds=seconds)
    rows = Message.objects.filter(**which)
    rows.update(created_at=then)
    rows.exclude(started_at=None).update(started_at=then)


def test_every_way_to_ask_a_model_counts(
    conversation: SmartConversation, who: Who, limit: Limit
) -> None:
    limit(MESSAGES_PER_MINUTE=3)
    reply = stopped(conversation, who)
    reply = stop_reply(regenerate(reply, who=who), who=who)
    turn = edit_message(question_of(reply), "Ho", who=who)
    reply = stop_reply(reply_of(turn), who=who)
    for refused in (
        lambda: regenerate(reply, who=who),
        lambda: edit_message(turn.message, "Hu", who=who),
        lambda: continue_reply(reply, who=who),
        lambda: take_turn(conversation, "He", who=who),
    ):
        with pytest.raises(exceptions.TooManyMessages):
            refused()


def test_a_continued_reply_counts_from_then_on(
    conversation: SmartConversation, who: Who, limit: Limit
) -> None:
    limit(MESSAGES_PER_MINUTE=1)
    reply = stopped(conversation, who)
    aged(61)
    stop_reply(continue_reply(reply, who=who), who=who)
    with pytest.raises(exceptions.TooManyMessages) as caught:
        take_turn(conversation, "Ho", who=who)
    assert "60 seconds" in str(caught.value.user_message)


def test_a_message_to_staff_counts_too(
    conversation: SmartConversation, who: Who, limit: Limit
) -> None:
    limit(MESSAGES_PER_MINUTE=1)
    conversation.answered_by = SmartConversation.AnsweredBy.STAFF
    conversation.save()
    take_turn(conversation, "Hi", who=who)
    with pytest.raises(exceptions.TooManyMessages):
        take_turn(conversation, "Ho", who=who)


def test_wait_is_until_the_oldest_that_counts_is_a_minute_old(
    conversation: SmartConversation, who: Who, limit: Limit
) -> None:
    first, second, third = (stopped(conversation, who) for _ in range(3))
    for reply, age in ((first, 50), (second, 30), (third, 10)):
        aged(age, pk__in=[reply.pk, reply.parent_id])
    for most, seconds in ((3, "10"), (2, "30"), (1, "50")):
        limit(MESSAGES_PER_MINUTE=most)
        with pytest.raises(exceptions.TooManyMessages) as caught:
            take_turn(conversation, "Ho", who=who)
        assert f"in {seconds} seconds" in str(caught.value.user_message)


def test_running_replies_limit_every_way_to_begin_one(
    parrot: Parrot, who: Who, limit: Limit
) -> None:
    limit(MAX_RUNNING_REPLIES=1)
    mine, other = chats(parrot, who, 2)
    reply = stopped(mine, who)
    take_turn(other, "Hi", who=who)
    for refused in (regenerate, continue_reply):
        with pytest.raises(exceptions.TooManyReplies) as caught:
            refused(reply, who=who)
    assert "minute" not in str(caught.value.user_message)


def test_refusal_says_when_the_first_running_reply_ends_at_the_latest(
    parrot: Parrot, who: Who, limit: Limit
) -> None:
    limit(MAX_RUNNING_REPLIES=2, REPLY_MAX_SECONDS=900)
    *others, mine = chats(parrot, who, 3)
    for chat, seconds in zip(others, (100, 500), strict=True):
        now = timezone.now()
        Message.objects.filter(pk=take_turn(chat, "Hi", who=who).reply.pk).update(
            status=Message.Status.STREAMING,
            started_at=now - timedelta(seconds=seconds),
            lease_until=now + timedelta(seconds=20),
        )
    with pytest.raises(exceptions.TooManyReplies) as caught:
        take_turn(mine, "Hi", who=who)
    assert "in 7 minutes at the latest" in str(caught.value.user_message)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", ["MESSAGES_PER_MINUTE", "MAX_RUNNING_REPLIES"])
def test_limit_holds_for_messages_to_many_chats_at_once(
    parrot: Parrot, who: Who, limit: Limit, key: str
) -> None:
    limit(**{"MESSAGES_PER_MINUTE": 100, "MAX_RUNNING_REPLIES": 100, key: 3})
    results = at_once(
        partial(take_turn, chat, "Hi", who=who) for chat in chats(parrot, who, 8)
    )
    assert [type(each) for each in results].count(Turn) == 3
    refused = {type(each) for each in results if not isinstance(each, Turn)}
    assert refused < {exceptions.TooManyMessages, exceptions.TooManyReplies}
    assert Message.objects.running().count() == 3


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_in_a_circle_when_the_oldest_chat_goes(
    parrot: Parrot, who: Who, limit: Limit
) -> None:
    limit(MESSAGES_PER_MINUTE=100, MAX_RUNNING_REPLIES=100)
    oldest, second, *others = chats(parrot, who, 8)
    kept = [second, *others]
    works: list[Callable[[], object]] = [
        partial(take_turn, chat, "Hi", who=who) for chat in kept
    ]
    works.append(SmartConversation.objects.filter(pk=oldest.pk).delete)
    *turns, deleted = at_once(works)
    assert {type(each) for each in turns} == {Turn}
    assert not isinstance(deleted, Exception)


@pytest.mark.django_db(transaction=True)
def test_same_nonce_from_twenty_tabs_at_once_is_one_turn(
    conversation: SmartConversation, who: Who
) -> None:
    send = partial(take_turn, conversation, "Hi", who=who, nonce="n1")
    results = at_once([send] * 20)
    assert {each.message.pk for each in results if isinstance(each, Turn)} == {
        conversation.messages.get(party=Message.Party.USER).pk
    }
    assert {type(each) for each in results} == {Turn}
    conversation.refresh_from_db()
    assert conversation.last_sequence == conversation.messages.count() == 2
