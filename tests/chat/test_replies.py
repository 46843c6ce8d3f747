"""Stop, regenerate, continue, edit: what becomes of the rows, and who may do it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.contrib.auth.models import User
from django.utils import timezone

from polly_htmx import exceptions
from polly_htmx.access import Who
from polly_htmx.chat import (
    acontinue_reply,
    aedit_message,
    aregenerate,
    astop_reply,
    atake_turn,
    continue_reply,
    edit_message,
    layer,
    regenerate,
    stop_reply,
    take_turn,
)
from polly_htmx.chat.conversations import state_of
from polly_htmx.chat.events import Event, PathChanged, from_dict
from polly_htmx.chat.history import GO_ON, prompt_for
from polly_htmx.models import Message, Parrot, SmartConversation
from polly_htmx.signals import reply_finished, turn_taken
from tests.chat.halves import question_of, reply_of
from tests.chat.threads import at_once

pytestmark = pytest.mark.django_db
Committed = Callable[..., Any]
Status = Message.Status


@pytest.fixture
def who(user: User) -> Who:
    return Who(user=user)


@pytest.fixture
def ended(conversation: SmartConversation, who: Who) -> Callable[..., Message]:
    """Return a function that takes a turn and ends its reply."""

    def end(text: str = "Hi", **fields: Any) -> Message:
        reply = reply_of(take_turn(conversation, text, who=who))
        how = {"status": Status.COMPLETE, "content": "One two", **fields}
        Message.objects.filter(pk=reply.pk).update(**how)
        reply.refresh_from_db()
        return reply

    return end


Ended = Callable[..., Message]


def retire(parrot: Parrot) -> None:
    parrot.retired_at = timezone.now()
    parrot.save()


# Stop


def test_pending_reply_stops_at_once_and_it_is_told(
    conversation: SmartConversation,
    who: Who,
    django_capture_on_commit_callbacks: Committed,
) -> None:
    reply = reply_of(take_turn(conversation, "Hi", who=who))
    heard: list[Message] = []

    def listen(message: Message, **_kwargs: Any) -> None:
        heard.append(message)

    reply_finished.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            stopped = stop_reply(reply, who=who)
    finally:
        reply_finished.disconnect(listen)
    assert heard == [stopped]
    assert (stopped.status, stopped.error) == ("stopped", "")
    assert stopped.finished_at is not None
    assert take_turn(conversation, "Next", who=who).reply


def test_waiting_reply_stops_and_keeps_its_text(ended: Ended, who: Who) -> None:
    reply = ended(status=Status.WAITING)
    stopped = stop_reply(reply, who=who)
    assert (stopped.status, stopped.content) == ("stopped", "One two")


def test_streaming_reply_is_asked_to_stop(ended: Ended, who: Who) -> None:
    later = timezone.now() + timedelta(seconds=20)
    reply = ended(status=Status.STREAMING, lease_until=later)
    asked = stop_reply(reply, who=who)
    assert (asked.status, asked.stop_requested) == ("streaming", True)


def test_stop_finds_out_that_the_runner_died(ended: Ended, who: Who) -> None:
    reply = ended(status=Status.STREAMING, lease_until=timezone.now())
    found = stop_reply(reply, who=who)
    assert (found.status, found.content) == ("interrupted", "One two")


@pytest.mark.parametrize("status", ["complete", "failed", "interrupted", "stopped"])
def test_stop_does_no_harm_to_a_reply_that_has_ended(
    ended: Ended, who: Who, status: str
) -> None:
    before = Message.objects.filter(pk=ended(status=status).pk)
    fields = before.values().get()
    stop_reply(before.get(), who=who)
    assert before.values().get() == fields


@pytest.mark.django_db(transaction=True)
async def test_stop_ends_a_running_reply_and_keeps_its_text(
    conversation: SmartConversation,
    who: Who,
    parrot: Parrot,
    scripted: Callable[..., None],
    replies: None,
) -> None:
    scripted(text="word " * 2000, pace=0.02)
    await Parrot.objects.filter(pk=parrot.pk).aupdate(model="SCRIPTED")
    await parrot.arefresh_from_db()
    turn = await atake_turn(conversation, "Hi", who=who, parrot=parrot)
    reply = reply_of(turn)
    await until_status(reply, "streaming")
    await asyncio.sleep(0.1)  # Some words.
    begun = time.monotonic()
    await astop_reply(reply, who=who)
    await until_status(reply, "stopped")
    assert time.monotonic() - begun < 5
    assert reply.content.startswith("word")
    again = await acontinue_reply(reply, who=who)
    await until_status(again, "streaming")
    await astop_reply(again, who=who)
    await until_status(again, "stopped")
    assert again.content.startswith(reply.content)


async def until_status(reply: Message, status: str) -> None:
    deadline = time.monotonic() + 10
    while reply.status != status:
        assert time.monotonic() < deadline, reply.status
        await asyncio.sleep(0.02)
        await reply.arefresh_from_db()


# Regenerate


def test_another_answer_is_a_sibling_and_the_end_of_the_path(
    ended: Ended, who: Who, conversation: SmartConversation
) -> None:
    old = ended(instructions="Be brief.", context="A garden.")
    new = regenerate(old, who=who)
    conversation.refresh_from_db()
    assert conversation.current == new
    assert (new.parent, new.sequence) == (old.parent, old.sequence + 1)
    assert (new.status, new.content) == ("pending", "")
    assert (new.instructions, new.context) == ("Be brief.", "A garden.")
    assert list(Message.objects.filter(parent=old.parent).order_by("sequence")) == [
        old,
        new,
    ]


@pytest.mark.parametrize("status", ["complete", "failed", "interrupted", "stopped"])
def test_every_end_can_be_tried_again(ended: Ended, who: Who, status: str) -> None:
    assert regenerate(ended(status=status), who=who).status == "pending"


def test_another_answer_is_by_the_parrot_as_it_is_now(
    ended: Ended, who: Who, parrot: Parrot
) -> None:
    old = ended()
    parrot.system_prompt = "You are a wiser parrot."
    parrot.save()
    new = regenerate(old, who=who)
    assert new.version.system_prompt == "You are a wiser parrot."
    assert old.version.system_prompt == "You are a parrot."


def test_another_answer_may_be_by_another_parrot(
    ended: Ended, who: Who, parrot: Parrot
) -> None:
    old, other = ended(), Parrot.objects.create(name="Lora")
    retire(parrot)
    with pytest.raises(exceptions.ParrotRetired):
        regenerate(old, who=who)
    new = regenerate(old, who=who, parrot=other, instructions="Sing.", context="Here.")
    assert new.version == other.current_version()
    assert (new.instructions, new.context) == ("Sing.", "Here.")


def test_only_answers_are_written_anew(ended: Ended, who: Who) -> None:
    with pytest.raises(exceptions.NotAReply):
        regenerate(question_of(ended()), who=who)


def test_nothing_is_stored_while_a_reply_runs(
    ended: Ended, who: Who, conversation: SmartConversation
) -> None:
    first = ended("one")
    second = take_turn(conversation, "two", who=who)
    for refused in (
        lambda: regenerate(first, who=who),
        lambda: regenerate(reply_of(second), who=who),
        lambda: continue_reply(reply_of(second), who=who),
        lambda: edit_message(second.message, "three", who=who),
    ):
        with pytest.raises(exceptions.ReplyRunning):
            refused()
    conversation.refresh_from_db()
    assert (conversation.last_sequence, conversation.messages.count()) == (4, 4)


# Continue


@pytest.mark.parametrize(
    "how",
    [
        {"status": "stopped"},
        {"status": "stopped", "content": ""},
        {"status": "interrupted", "error": "interrupted"},
        {"status": "failed", "error": "timed-out"},
        {"status": "complete", "finish_reason": "length"},
        {"status": "complete", "finish_reason": "cut"},
    ],
)
def test_broken_reply_goes_on_in_the_same_row(
    ended: Ended, who: Who, how: dict[str, str]
) -> None:
    old = ended(finished_at=timezone.now(), stop_requested=True, **how)
    new = continue_reply(old, who=who)
    assert (new.pk, new.status, new.content) == (old.pk, "pending", old.content)
    assert (new.error, new.finish_reason, new.finished_at) == ("", "", None)
    assert not new.stop_requested
    assert new.conversation.last_sequence == 2


@pytest.mark.parametrize(
    "how",
    [
        {"finish_reason": "stop"},
        {"status": "failed", "content": "", "error": "timed-out"},
        {"status": "failed", "error": "withheld"},
    ],
)
def test_other_replies_do_not_go_on(
    ended: Ended, who: Who, how: dict[str, str]
) -> None:
    with pytest.raises(exceptions.NotContinuable):
        continue_reply(ended(**how), who=who)


def test_only_the_end_of_the_path_goes_on(ended: Ended, who: Who) -> None:
    first = ended("one", status="stopped")
    second = ended("two", status="stopped")
    for earlier in (first, question_of(second)):
        with pytest.raises(exceptions.NotContinuable):
            continue_reply(earlier, who=who)
    assert continue_reply(second, who=who) == second


def test_a_retired_parrot_does_not_go_on(
    ended: Ended, who: Who, parrot: Parrot
) -> None:
    broken = ended(status="stopped")
    retire(parrot)
    with pytest.raises(exceptions.ParrotRetired):
        continue_reply(broken, who=who)


def test_reply_whose_runner_died_goes_on_at_once(ended: Ended, who: Who) -> None:
    dead = ended(status=Status.STREAMING, lease_until=timezone.now())
    assert continue_reply(dead, who=who).content == "One two"


def test_the_model_is_shown_its_words_and_asked_for_the_rest(
    ended: Ended, who: Who
) -> None:
    prompt = prompt_for(continue_reply(ended(status="stopped"), who=who))
    assert prompt.history == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "One two"},
    ]
    assert prompt.text == GO_ON


def test_a_reply_stopped_before_its_first_word_is_asked_for_as_before(
    ended: Ended, who: Who
) -> None:
    prompt = prompt_for(continue_reply(ended(status="stopped", content=""), who=who))
    assert (prompt.history, prompt.text) == ([], "Hi")


@pytest.mark.django_db(transaction=True)
def test_of_two_who_go_on_at_once_one_succeeds(ended: Ended, who: Who) -> None:
    broken = ended(status="stopped")
    results = at_once([partial(continue_reply, broken, who=who)] * 4)
    assert [type(each) for each in results].count(Message) == 1
    refused = [each for each in results if not isinstance(each, Message)]
    assert {type(each) for each in refused} == {exceptions.ReplyRunning}


# Edit


def test_edited_message_is_a_sibling_with_a_reply_of_its_own(
    ended: Ended, who: Who, conversation: SmartConversation
) -> None:
    first, last = ended("one"), ended("two")
    turn = edit_message(question_of(last), "zwei", who=who, instructions="Be brief.")
    conversation.refresh_from_db()
    assert (turn.message.parent, turn.message.content) == (first, "zwei")
    assert (turn.reply.parent, turn.reply.status) == (turn.message, "pending")
    assert turn.reply.instructions == "Be brief."
    assert conversation.current == turn.reply
    path = Message.objects.path_to(reply_of(turn).pk, limit=10)
    assert [each.sequence for each in path] == [1, 2, 5, 6]


def test_the_first_message_can_be_edited(ended: Ended, who: Who) -> None:
    turn = edit_message(question_of(ended("one")), "eins", who=who)
    assert turn.message.parent is None
    assert prompt_for(reply_of(turn)).text == "eins"


def test_same_edit_again_is_one_turn(ended: Ended, who: Who) -> None:
    first, second = (question_of(ended(text)) for text in ("one", "two"))
    turn = edit_message(second, "zwei", who=who, nonce="e1")
    again = edit_message(second, "zwei", who=who, nonce="e1")
    assert (again.message, again.reply) == (turn.message, turn.reply)
    for place, text in ((second, "drei"), (first, "zwei")):
        with pytest.raises(exceptions.NonceReused):
            edit_message(place, text, who=who, nonce="e1")


def test_nobody_edits_what_another_wrote(
    ended: Ended, who: Who, other_user: User
) -> None:
    reply = ended()
    with pytest.raises(exceptions.NotAllowed):
        edit_message(reply, "Mine", who=who)
    message = question_of(reply)
    message.author = other_user
    with pytest.raises(exceptions.NotAllowed):
        edit_message(message, "Mine", who=who)


def test_a_visitor_edits_a_message_of_their_own(parrot: Parrot) -> None:
    visitor = Who(visitor=uuid.uuid4())
    own = SmartConversation.objects.create(parrot=parrot, visitor=visitor.visitor)
    turn = take_turn(own, "Hi", who=visitor)
    stop_reply(reply_of(turn), who=visitor)
    assert edit_message(turn.message, "Ho", who=visitor).reply


@pytest.mark.parametrize("text", [" ", "x" * 16_001])
def test_edited_text_is_checked_like_any(ended: Ended, who: Who, text: str) -> None:
    with pytest.raises((exceptions.BlankMessage, exceptions.MessageTooLong)):
        edit_message(question_of(ended()), text, who=who)


# All of them


def test_nobody_else_gets_at_a_conversation(ended: Ended, other_user: User) -> None:
    reply = ended(status="stopped")
    for person in (Who(user=other_user), Who(visitor=uuid.uuid4()), Who()):
        for refused in (
            partial(stop_reply, reply),
            partial(regenerate, reply),
            partial(continue_reply, reply),
            partial(edit_message, question_of(reply), "Mine"),
        ):
            with pytest.raises(exceptions.NotFound):
                refused(who=person)


def test_a_deleted_conversation_is_not_found(
    ended: Ended, who: Who, conversation: SmartConversation
) -> None:
    reply = ended(status="stopped")
    SmartConversation.objects.filter(pk=conversation.pk).delete()
    for refused in (stop_reply, regenerate, continue_reply):
        with pytest.raises(exceptions.NotFound):
            refused(reply, who=who)


def test_no_parrot_answers_where_staff_does(
    ended: Ended, who: Who, conversation: SmartConversation
) -> None:
    reply = ended(status="stopped")
    staff = SmartConversation.AnsweredBy.STAFF
    SmartConversation.objects.filter(pk=conversation.pk).update(answered_by=staff)
    for refused in (regenerate, continue_reply):
        with pytest.raises(exceptions.StaffAnswers):
            refused(reply, who=who)
    message = question_of(Message.objects.get(pk=reply.pk))
    turn = edit_message(message, "Ho", who=who)
    conversation.refresh_from_db()
    assert turn.reply is None
    assert conversation.current == turn.message


def test_an_edit_is_a_turn_and_a_second_answer_is_none(
    ended: Ended, who: Who, django_capture_on_commit_callbacks: Committed
) -> None:
    reply = ended()
    heard: list[Message] = []

    def listen(message: Message, **_kwargs: Any) -> None:
        heard.append(message)

    turn_taken.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            stop_reply(regenerate(reply, who=who), who=who)
            turn = edit_message(question_of(reply), "Ho", who=who)
    finally:
        turn_taken.disconnect(listen)
    assert heard == [turn.message]


@pytest.mark.django_db(transaction=True)
async def test_followers_hear_of_a_changed_path_with_its_mark(
    conversation: SmartConversation, who: Who
) -> None:
    turn = await atake_turn(conversation, "Hi", who=who)
    await layer.follow(conversation, "specific.test!page")
    first = reply_of(turn)
    await astop_reply(first, who=who)
    await next_event()
    for act in (
        lambda: acontinue_reply(first, who=who),
        lambda: aregenerate(first, who=who),
        lambda: aedit_message(turn.message, "Ho", who=who),
    ):
        done = await act()
        event = await next_event()
        await conversation.arefresh_from_db()
        assert event == PathChanged(state=state_of(conversation))
        reply = done if isinstance(done, Message) else reply_of(done)
        assert conversation.current_id == reply.pk
        await astop_reply(reply, who=who)
        await next_event()


async def next_event() -> Event:
    channels: Any = get_channel_layer()
    async with asyncio.timeout(5):
        message = await channels.receive("specific.test!page")
    return from_dict(message["event"])
