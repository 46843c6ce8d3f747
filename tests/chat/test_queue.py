"""The queue: what is sent during a reply waits, goes in order, once, and never alone."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User

from polly_htmx import exceptions
from polly_htmx.access import Who
from polly_htmx.chat import (
    Turn,
    continue_reply,
    run_reply,
    send_message,
    stop_reply,
    take_turn,
)
from polly_htmx.chat.leases import save_end
from polly_htmx.chat.queue import move_all_on, move_on, release, take_back
from polly_htmx.chat.waiting import waiting_in
from polly_htmx.models import Message, Parrot, QueuedMessage, SmartConversation
from tests.chat.halves import reply_of, retire
from tests.chat.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def queued(sent: Turn | QueuedMessage) -> QueuedMessage:
    assert isinstance(sent, QueuedMessage)
    return sent


def turn(sent: Turn | QueuedMessage) -> Turn:
    assert isinstance(sent, Turn)
    return sent


def said(conversation: SmartConversation) -> list[str]:
    """Return what the person has said on the path."""
    found = conversation.messages.filter(party="USER").order_by("sequence")
    return list(found.values_list("content", flat=True))


def waiting(conversation: SmartConversation) -> list[str]:
    return [each.content for each in waiting_in(conversation).messages]


def running(conversation: SmartConversation) -> Message:
    return conversation.messages.running().get()


def end(reply: Message, status: str) -> None:
    """End a reply as a runner does that dies before it tells anybody."""
    reply.status = status
    row = Message.objects.filter(pk=reply.pk)
    row.update(lease_owner=None, status="streaming")
    Message.objects.filter(pk=reply.pk).update(status="pending")
    assert save_end(Message.objects.running().filter(pk=reply.pk), reply, content="x")


@pytest.fixture
def busy(conversation: SmartConversation, who: Who) -> Message:
    """Return the reply that runs in the conversation."""
    return reply_of(turn(send_message(conversation, "one", who=who)))


def test_what_is_sent_during_replies_goes_in_order_when_they_end(
    conversation: SmartConversation, who: Who, busy: Message
) -> None:
    for text in ("two", "three"):
        queued(send_message(conversation, text, who=who))
    conversation.refresh_from_db()
    assert (conversation.queued, conversation.last_sequence) == (2, 2)
    run_reply(busy)
    assert said(conversation) == ["one", "two"]
    assert waiting(conversation) == ["three"]
    run_reply(running(conversation))
    run_reply(running(conversation))
    conversation.refresh_from_db()
    assert said(conversation) == ["one", "two", "three"]
    assert (conversation.queued, conversation.last_sequence) == (0, 6)
    statuses = set(conversation.messages.values_list("status", flat=True))
    assert statuses == {"complete"}


def test_take_turn_still_refuses_and_does_not_wait(
    conversation: SmartConversation, who: Who, busy: Message
) -> None:
    with pytest.raises(exceptions.ReplyRunning):
        take_turn(conversation, "two", who=who)
    assert waiting(conversation) == []


def test_same_nonce_waits_once_and_is_one_turn(
    conversation: SmartConversation, who: Who, busy: Message
) -> None:
    send = partial(send_message, conversation, who=who, nonce="n1")
    first = queued(send("two"))
    assert queued(send("two")) == first
    with pytest.raises(exceptions.NonceReused):
        send("another")
    run_reply(busy)
    assert turn(send("two")).message.content == "two"
    assert said(conversation) == ["one", "two"]


def test_what_was_stored_past_the_queue_is_not_said_twice(
    conversation: SmartConversation, who: Who, busy: Message
) -> None:
    queued(send_message(conversation, "two", who=who, nonce="n1"))
    queued(send_message(conversation, "three", who=who))
    Message.objects.filter(pk=busy.pk).update(status="complete")
    past = reply_of(take_turn(conversation, "two", who=who, nonce="n1"))
    run_reply(past)
    assert said(conversation) == ["one", "two", "three"]
    assert waiting(conversation) == []


@pytest.mark.parametrize("status", ["stopped", "failed", "interrupted"])
def test_queue_waits_for_a_person_after_an_answer_that_did_not_end_well(
    conversation: SmartConversation, who: Who, busy: Message, status: str
) -> None:
    first = queued(send_message(conversation, "two", who=who))
    end(busy, status)
    move_on(conversation)
    move_all_on()
    assert waiting(conversation) == ["two"]
    assert waiting_in(conversation).is_held
    release(first, who=who)
    assert said(conversation) == ["one", "two"]
    assert running(conversation).status == "pending"


def test_stop_holds_the_queue_and_the_next_message_goes_behind_it(
    conversation: SmartConversation, who: Who, busy: Message
) -> None:
    queued(send_message(conversation, "two", who=who))
    stop_reply(busy, who=who)
    assert waiting_in(conversation).is_held
    queued(send_message(conversation, "three", who=who))
    assert said(conversation) == ["one", "two"]
    assert waiting(conversation) == ["three"]
    assert not waiting_in(conversation).is_held


def test_what_is_sent_after_a_stop_goes_when_the_answer_has_ended(
    conversation: SmartConversation, who: Who, busy: Message
) -> None:
    """The runner has yet to hear of the stop: nobody knows when it will."""
    Message.objects.filter(pk=busy.pk).update(status="streaming")
    queued(send_message(conversation, "two", who=who))
    stop_reply(busy, who=who)
    queued(send_message(conversation, "three", who=who))
    end(busy, "stopped")
    assert not waiting_in(conversation).is_held
    move_all_on()
    assert said(conversation) == ["one", "two"]


def test_answer_that_is_continued_to_its_end_lets_the_queue_go_on(
    conversation: SmartConversation, who: Who, busy: Message
) -> None:
    queued(send_message(conversation, "two", who=who))
    end(busy, "stopped")
    run_reply(continue_reply(busy, who=who))
    assert said(conversation) == ["one", "two"]


def test_queue_is_moved_on_after_a_crash(
    conversation: SmartConversation, who: Who, busy: Message
) -> None:
    """The process saves the end, and dies before it can look at the queue."""
    queued(send_message(conversation, "two", who=who))
    end(busy, "complete")
    assert said(conversation) == ["one"]
    move_all_on()
    assert said(conversation) == ["one", "two"]


def test_of_many_processes_one_moves_the_queue_on(
    conversation: SmartConversation, who: Who, busy: Message
) -> None:
    for text in ("two", "three"):
        queued(send_message(conversation, text, who=who))
    end(busy, "complete")
    at_once([partial(move_on, conversation)] * 8)
    assert said(conversation) == ["one", "two"]
    assert waiting(conversation) == ["three"]


def test_message_that_comes_as_the_reply_ends_is_not_left_behind(
    parrot: Parrot, who: Who
) -> None:
    for _ in range(5):
        own = SmartConversation.objects.create(parrot=parrot, user=who.user)
        reply = reply_of(turn(send_message(own, "one", who=who)))
        works: list[Callable[[], object]] = [partial(run_reply, reply)]
        works.append(partial(send_message, own, "two", who=who))
        at_once(works)
        assert said(own) == ["one", "two"]
        assert waiting(own) == []
        own.delete()


def test_taken_back_is_gone_and_returns_its_text(
    conversation: SmartConversation, who: Who, busy: Message
) -> None:
    first = queued(send_message(conversation, "two", who=who))
    assert take_back(first, who=who) == "two"
    with pytest.raises(exceptions.MessageGone):
        take_back(first, who=who)
    conversation.refresh_from_db()
    assert conversation.queued == 0
    run_reply(busy)
    assert said(conversation) == ["one"]


def test_queue_is_of_its_people_only(
    conversation: SmartConversation, who: Who, busy: Message, other_user: User
) -> None:
    first = queued(send_message(conversation, "two", who=who))
    for use_case in (take_back, release):
        with pytest.raises(exceptions.NotFound):
            use_case(first, who=Who(user=other_user))
    assert waiting(conversation) == ["two"]


def test_queue_has_an_end(
    conversation: SmartConversation, who: Who, busy: Message, settings: LazySettings
) -> None:
    settings.POLLY = {**settings.POLLY, "MAX_QUEUED": 2}
    for text in ("two", "three"):
        queued(send_message(conversation, text, who=who))
    with pytest.raises(exceptions.QueueFull) as caught:
        send_message(conversation, "four", who=who)
    assert "2 messages" in str(caught.value.user_message)
    settings.POLLY = {**settings.POLLY, "MAX_QUEUED": 0}
    with pytest.raises(exceptions.ReplyRunning):
        send_message(conversation, "four", who=who)


def test_limits_count_when_a_message_gets_its_turn(
    conversation: SmartConversation, who: Who, busy: Message, settings: LazySettings
) -> None:
    settings.POLLY = {**settings.POLLY, "MESSAGES_PER_MINUTE": 1}
    queued(send_message(conversation, "two", who=who))
    run_reply(busy)
    assert waiting(conversation) == ["two"]
    assert not waiting_in(conversation).is_held
    settings.POLLY = {**settings.POLLY, "MESSAGES_PER_MINUTE": 2}
    move_all_on()
    assert said(conversation) == ["one", "two"]


def test_nothing_goes_on_from_an_account_that_was_closed(
    conversation: SmartConversation, who: Who, busy: Message
) -> None:
    queued(send_message(conversation, "two", who=who))
    User.objects.update(is_active=False)
    run_reply(busy)
    assert waiting(conversation) == ["two"]


def test_nothing_goes_on_to_a_parrot_that_has_retired(
    conversation: SmartConversation, who: Who, busy: Message
) -> None:
    queued(send_message(conversation, "two", who=who))
    retire(conversation.parrot)
    run_reply(busy)
    assert waiting(conversation) == ["two"]


def test_how_to_answer_is_kept_with_a_waiting_message(
    conversation: SmartConversation, who: Who, busy: Message
) -> None:
    other = Parrot.objects.create(name="Molly")
    send_message(
        conversation,
        "two",
        who=who,
        parrot=other,
        instructions="Sing.",
        context="A bar",
    )
    run_reply(busy)
    reply = running(conversation)
    assert reply.version is not None
    assert reply.version.parrot == other
    assert (reply.instructions, reply.context) == ("Sing.", "A bar")


def test_visitors_messages_wait_too(parrot: Parrot, settings: LazySettings) -> None:
    settings.POLLY = {**settings.POLLY, "ALLOW_ANONYMOUS": True}
    visitor = Who(visitor=uuid.uuid4())
    own = SmartConversation.objects.create(parrot=parrot, visitor=visitor.visitor)
    reply = reply_of(turn(send_message(own, "one", who=visitor)))
    queued(send_message(own, "two", who=visitor))
    run_reply(reply)
    assert said(own) == ["one", "two"]
