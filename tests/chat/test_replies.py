"""Stop and regenerate, and what all changes of replies have in common."""

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
from polly_htmx.models import Message, Parrot, SmartConversation
from polly_htmx.signals import reply_finished, turn_taken
from tests.chat.halves import question_of, reply_of, retire
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db
Committed = Callable[..., Any]
Status = Message.Status


Ended = Callable[..., Message]


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
    async with asyncio.timeout(PATIENCE):
        message = await channels.receive("specific.test!page")
    return from_dict(message["event"])
