"""Taking a turn: one transaction, one nonce, one running reply."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.dispatch import Signal
from django.utils import timezone

from polly_htmx import exceptions
from polly_htmx.access import Who
from polly_htmx.chat import Turn, atake_turn, run_reply, take_turn
from polly_htmx.models import Message, Parrot, SmartConversation
from polly_htmx.signals import turn_taken

pytestmark = pytest.mark.django_db


@pytest.fixture
def who(user: User) -> Who:
    return Who(user=user)


def finish(turn: Turn) -> None:
    Message.objects.filter(pk=turn.reply.pk).update(status=Message.Status.COMPLETE)


def test_turn_stores_message_and_pending_reply(
    conversation: SmartConversation, who: Who
) -> None:
    message, reply = (
        (turn := take_turn(conversation, "Hi", who=who)).message,
        turn.reply,
    )
    conversation.refresh_from_db()
    assert (message.party, message.content, message.status) == (
        "USER",
        "Hi",
        "complete",
    )
    assert message.author == who.user
    assert (reply.party, reply.status, reply.parent) == (
        "ASSISTANT",
        "pending",
        message,
    )
    assert reply.version == conversation.parrot.current_version()
    assert (message.sequence, reply.sequence) == (1, 2)
    assert conversation.current == reply


def test_turns_hang_below_each_other(conversation: SmartConversation, who: Who) -> None:
    first = take_turn(conversation, "one", who=who)
    finish(first)
    second = take_turn(conversation, "two", who=who)
    assert second.message.parent == first.reply
    assert second.message.sequence == 3


@pytest.mark.parametrize("text", ["", " ", "\n\t \r\n", "\u2003"])
def test_blank_message_is_refused(
    conversation: SmartConversation, who: Who, text: str
) -> None:
    with pytest.raises(exceptions.BlankMessage):
        take_turn(conversation, text, who=who)
    assert not Message.objects.exists()


def test_message_of_just_the_limit_is_taken(
    conversation: SmartConversation, who: Who
) -> None:
    turn = take_turn(conversation, "x" * 16_000, who=who)
    assert len(turn.message.content) == 16_000


def test_message_over_the_limit_is_refused_with_both_numbers(
    conversation: SmartConversation, who: Who
) -> None:
    with pytest.raises(exceptions.MessageTooLong) as caught:
        take_turn(conversation, "x" * 16_001, who=who)
    assert "16001" in str(caught.value.user_message)
    assert "16000" in str(caught.value.user_message)


def test_text_is_made_well_formed(conversation: SmartConversation, who: Who) -> None:
    turn = take_turn(conversation, "a\x00b\ud800c\r\nd", who=who)
    assert turn.message.content == "a\ufffdb\ufffdc\nd"


def test_second_turn_is_refused_while_a_reply_runs(
    conversation: SmartConversation, who: Who
) -> None:
    take_turn(conversation, "one", who=who)
    with pytest.raises(exceptions.ReplyRunning):
        take_turn(conversation, "two", who=who)
    assert Message.objects.count() == 2


def test_same_nonce_gives_the_first_turn_again(
    conversation: SmartConversation, who: Who
) -> None:
    first = take_turn(conversation, "Hi", who=who, nonce="n1")
    again = take_turn(conversation, "Hi", who=who, nonce="n1")
    conversation.refresh_from_db()
    assert (again.message, again.reply) == (first.message, first.reply)
    assert conversation.last_sequence == 2


def test_same_nonce_with_another_text_is_refused(
    conversation: SmartConversation, who: Who
) -> None:
    take_turn(conversation, "Hi", who=who, nonce="n1")
    with pytest.raises(exceptions.NonceReused):
        take_turn(conversation, "Ho", who=who, nonce="n1")


@pytest.mark.parametrize("nonce", ["x" * 65, "a b", "\x00", "<b>"])
def test_nonce_that_no_page_makes_is_refused(
    conversation: SmartConversation, who: Who, nonce: str
) -> None:
    with pytest.raises(exceptions.BadFrame):
        take_turn(conversation, "Hi", who=who, nonce=nonce)


def test_turn_of_another_person_is_refused_as_not_found(
    conversation: SmartConversation, other_user: User
) -> None:
    for nobody in (Who(user=other_user), Who(visitor=uuid.uuid4()), Who()):
        with pytest.raises(exceptions.NotFound):
            take_turn(conversation, "Hi", who=nobody)


def test_staff_needs_the_permission_to_write(
    conversation: SmartConversation, other_user: User
) -> None:
    other_user.is_staff = True
    other_user.save()
    read = ["view_smartconversation", "view_message"]
    other_user.user_permissions.set(Permission.objects.filter(codename__in=read))
    with pytest.raises(exceptions.NotAllowed):
        take_turn(conversation, "Hi", who=Who(user=other_user))
    other_user.user_permissions.add(Permission.objects.get(codename="add_message"))
    fresh = User.objects.get(pk=other_user.pk)
    assert take_turn(conversation, "Hi", who=Who(user=fresh)).message.author == fresh


def test_retired_parrot_takes_no_turns(
    conversation: SmartConversation, who: Who
) -> None:
    conversation.parrot.retired_at = timezone.now()
    conversation.parrot.save()
    with pytest.raises(exceptions.ParrotRetired):
        take_turn(conversation, "Hi", who=who)


def test_turn_makes_no_reply_where_staff_answers(
    conversation: SmartConversation, who: Who
) -> None:
    conversation.answered_by = SmartConversation.AnsweredBy.STAFF
    conversation.save()
    turn = take_turn(conversation, "Hi", who=who)
    conversation.refresh_from_db()
    assert turn.reply is None
    assert conversation.current == turn.message


def test_turn_in_a_deleted_conversation_is_not_found(
    conversation: SmartConversation, who: Who
) -> None:
    SmartConversation.objects.all().delete()
    with pytest.raises(exceptions.NotFound):
        take_turn(conversation, "Hi", who=who)


def test_too_many_messages_are_refused_with_the_time_to_wait(
    conversation: SmartConversation, who: Who, settings: Any
) -> None:
    settings.POLLY = {**settings.POLLY, "MESSAGES_PER_MINUTE": 2}
    for text in ("one", "two"):
        finish(take_turn(conversation, text, who=who))
    with pytest.raises(exceptions.TooManyMessages) as caught:
        take_turn(conversation, "three", who=who)
    assert "60 seconds" in str(caught.value.user_message)


def test_too_many_running_replies_are_refused_across_conversations(
    parrot: Parrot, who: Who, settings: Any
) -> None:
    settings.POLLY = {**settings.POLLY, "MAX_RUNNING_REPLIES": 1}
    one, two = (
        SmartConversation.objects.create(parrot=parrot, user=who.user) for _ in "12"
    )
    take_turn(one, "Hi", who=who)
    with pytest.raises(exceptions.TooManyReplies):
        take_turn(two, "Hi", who=who)


def test_limits_count_each_visitor_alone(parrot: Parrot, settings: Any) -> None:
    settings.POLLY = {**settings.POLLY, "MESSAGES_PER_MINUTE": 1}
    for _ in range(2):
        visitor = uuid.uuid4()
        own = SmartConversation.objects.create(parrot=parrot, visitor=visitor)
        assert take_turn(own, "Hi", who=Who(visitor=visitor)).reply


def test_signal_is_sent_after_commit(
    conversation: SmartConversation,
    who: Who,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    heard = []

    def listen(sender: type, signal: Signal, **kwargs: Any) -> None:
        heard.append(kwargs)

    turn_taken.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            turn = take_turn(conversation, "Hi", who=who)
            assert not heard
    finally:
        turn_taken.disconnect(listen)
    assert heard == [
        {"conversation": conversation, "message": turn.message, "reply": turn.reply}
    ]


@pytest.mark.django_db(transaction=True)
def test_reply_waits_where_no_loop_serves_and_runs_in_place(
    conversation: SmartConversation, who: Who
) -> None:
    turn = take_turn(conversation, "Hi", who=who)
    turn.reply.refresh_from_db()
    assert turn.reply.status == "pending"
    assert turn.reply
    run_reply(turn.reply)
    turn.reply.refresh_from_db()
    assert turn.reply.status == "complete"
    assert turn.reply.content


@pytest.mark.django_db(transaction=True)
async def test_atake_turn_is_the_same_from_async_code(
    conversation: SmartConversation, who: Who
) -> None:
    turn = await atake_turn(conversation, "Hi", who=who, instructions="Be brief.")
    assert turn.reply.instructions == "Be brief."
