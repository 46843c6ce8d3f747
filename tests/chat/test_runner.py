"""The runner: every reply reaches an end, and the end is saved."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from polly_htmx.access import Who
from polly_htmx.chat import atake_turn, dispatch, keeper, runner
from polly_htmx.chat.leases import interrupt_expired
from polly_htmx.models import Message, Parrot, SmartConversation
from tests.chat.recording import requests
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)
Script = Callable[..., None]


async def ask(conversation: SmartConversation, text: str = "Hi") -> Message:
    """Take a turn and return its pending reply."""
    turn = await atake_turn(conversation, text, who=Who(user=conversation.user))
    assert turn.reply
    return turn.reply


async def answer(conversation: SmartConversation, text: str = "Hi") -> Message:
    """Take a turn, run its reply to the end, and return it."""
    reply = await ask(conversation, text)
    await runner.arun_reply(reply.pk)
    await reply.arefresh_from_db()
    return reply


@pytest.fixture
def talk(
    scripted: Script, parrot: Parrot, user: User
) -> Callable[..., SmartConversation]:
    """Return a function that makes a conversation with a scripted Parrot."""

    def make(**script: Any) -> SmartConversation:
        scripted(**script)
        parrot.model = "SCRIPTED"
        parrot.save()
        return SmartConversation.objects.create(parrot=parrot, user=user)

    return make


Talk = Callable[..., SmartConversation]


async def test_reply_is_saved_whole(talk: Talk) -> None:
    reply = await answer(await asyncio.to_thread(talk, text="One two three."))
    assert (reply.content, reply.status) == ("One two three.", "complete")
    assert reply.finish_reason == "stop"
    assert reply.lease_owner is None
    assert None not in (reply.started_at, reply.finished_at)


@pytest.mark.parametrize(
    ("fault", "error", "kept"),
    [
        ("cut", "interrupted", "One two"),
        ("error", "interrupted", "One two"),
        ("empty", "empty-answer", ""),
        ("rate-limited", "rate-limited", ""),
        ("not-authorised", "not-authorised", ""),
        ("content-filter", "content-refused", "One two three four"),
    ],
)
async def test_fault_is_told_and_what_came_is_kept(
    talk: Talk, fault: str, error: str, kept: str
) -> None:
    conversation = await asyncio.to_thread(talk, text="One two three four", fault=fault)
    reply = await answer(conversation)
    assert (reply.status, reply.error, reply.content) == ("failed", error, kept)
    assert reply.remark


async def test_next_message_works_after_a_fault(talk: Talk, scripted: Script) -> None:
    conversation = await asyncio.to_thread(talk, fault="empty")
    assert (await answer(conversation)).status == "failed"
    scripted(text="Fine.")
    assert (await answer(conversation)).status == "complete"


@pytest.mark.parametrize(
    ("key", "script"),
    [
        ("FIRST_TOKEN_TIMEOUT", {"fault": "hang"}),
        ("GAP_TIMEOUT", {"fault": "stall", "text": "One two"}),
        ("REPLY_MAX_SECONDS", {"text": "a " * 1000, "pace": 0.01}),
    ],
)
async def test_deadline_ends_the_reply(
    talk: Talk, settings: Any, key: str, script: dict[str, Any]
) -> None:
    conversation = await asyncio.to_thread(talk, **script)
    settings.POLLY = {**settings.POLLY, key: 0.2}
    reply = await answer(conversation)
    assert (reply.status, reply.error) == ("failed", "timed-out")


async def test_unknown_model_is_a_told_fault(
    conversation: SmartConversation, parrot: Parrot
) -> None:
    await Parrot.objects.filter(pk=parrot.pk).aupdate(model="GONE")
    await parrot.arefresh_from_db()
    conversation.parrot = parrot
    reply = await answer(conversation)
    assert (reply.status, reply.error) == ("failed", "unknown-model")


@pytest.mark.parametrize("name", ["base_url", "api_base", "extra_headers"])
async def test_parrot_may_not_say_where_the_key_is_sent(
    name: str, conversation: SmartConversation, parrot: Parrot
) -> None:
    parrot.parameters = {name: "http://127.0.0.1:9/"}
    await parrot.asave()
    reply = await answer(conversation)
    assert (reply.status, reply.error) == (Message.Status.FAILED, "bad-parameter")
    assert not reply.content


async def test_model_is_told_prompt_context_and_history(
    talk: Talk, scripted: Script, settings: Any
) -> None:
    conversation = await asyncio.to_thread(talk, text="Fine.")
    settings.POLLY["MODELS"]["SCRIPTED"]["backend"] = (
        "tests.chat.recording.RecordingInvoker"
    )
    requests.clear()
    conversation.context = "This is the help page."
    await conversation.asave()
    await answer(conversation, "one")
    await answer(conversation, "two")
    assert requests[-1] == [
        {
            "role": "system",
            "content": "You are a parrot.\n\nThis is the help page.",
        },
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "Fine."},
        {"role": "user", "content": "two"},
    ]


async def test_questions_left_without_an_answer_are_asked_together(
    talk: Talk, scripted: Script, settings: Any
) -> None:
    conversation = await asyncio.to_thread(talk, fault="empty")
    settings.POLLY["MODELS"]["SCRIPTED"]["backend"] = (
        "tests.chat.recording.RecordingInvoker"
    )
    requests.clear()
    await answer(conversation, "one")
    await answer(conversation, "two")
    asked = [entry["content"] for entry in requests[-1] if entry["role"] == "user"]
    assert asked == ["one\n\ntwo"]


async def test_text_is_shown_when_the_model_pauses_after_a_burst(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []

    async def publish(conversation: SmartConversation, event: Any) -> None:
        shown.append(getattr(event, "tail", ""))

    monkeypatch.setattr("polly_htmx.chat.layer.apublish", publish)
    monkeypatch.setattr("polly_htmx.chat.pace.FREE_BYTES", -1_000)
    monkeypatch.setattr("polly_htmx.chat.display.PAUSE", 0.05)
    conversation = await asyncio.to_thread(
        talk, text="One two three four", fault="stall"
    )
    reply = await ask(conversation)
    task = asyncio.create_task(runner.arun_reply(reply.pk))
    async with asyncio.timeout(PATIENCE):
        while not any("One two" in html for html in shown):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_second_runner_leaves_a_claimed_reply_alone(talk: Talk) -> None:
    conversation = await asyncio.to_thread(talk)
    reply = await ask(conversation)
    owner = uuid.uuid4()
    claim = Message.objects.claim
    assert await asyncio.to_thread(claim, reply.pk, owner=owner, seconds=60)
    await runner.arun_reply(reply.pk)
    await reply.arefresh_from_db()
    assert (reply.status, reply.lease_owner) == ("streaming", owner)


async def test_text_and_lease_are_saved_while_it_runs(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "CHECKPOINT_SECONDS", 0.05)
    conversation = await asyncio.to_thread(talk, text="One two", fault="stall")
    reply = await ask(conversation)
    task = asyncio.create_task(runner.arun_reply(reply.pk))
    async with asyncio.timeout(PATIENCE):
        while not reply.content:
            await asyncio.sleep(0.01)
            await reply.arefresh_from_db()
    assert (reply.content, reply.status) == ("One", "streaming")
    assert reply.lease_until
    assert reply.lease_until > timezone.now()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await reply.arefresh_from_db()
    assert (reply.content, reply.status) == ("One", "interrupted")


async def test_runner_that_lost_its_lease_writes_no_more(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "CHECKPOINT_SECONDS", 0.05)
    conversation = await asyncio.to_thread(talk, text="One two", fault="stall")
    reply = await ask(conversation)
    task = asyncio.create_task(runner.arun_reply(reply.pk))
    async with asyncio.timeout(PATIENCE):
        while reply.lease_owner is None:
            await asyncio.sleep(0.01)
            await reply.arefresh_from_db()
    mine = await Message.objects.filter(pk=reply.pk).aupdate(
        lease_owner=uuid.uuid4(), content="written by another"
    )
    assert mine == 1
    await asyncio.wait_for(task, PATIENCE)
    await reply.arefresh_from_db()
    assert reply.content == "written by another"
    assert reply.status == "streaming"


async def test_reply_of_a_dead_process_is_interrupted(talk: Talk) -> None:
    conversation = await asyncio.to_thread(talk)
    reply = await ask(conversation)
    past = timezone.now() - timedelta(seconds=1)
    await Message.objects.filter(pk=reply.pk).aupdate(
        status="streaming", lease_owner=uuid.uuid4(), lease_until=past, content="One"
    )
    assert await asyncio.to_thread(interrupt_expired) == 1
    assert await asyncio.to_thread(interrupt_expired) == 0
    await reply.arefresh_from_db()
    assert (reply.status, reply.content) == ("interrupted", "One")
    assert (await answer(conversation, "again")).status == "complete"


@pytest.mark.usefixtures("replies")
async def test_process_that_serves_takes_over_replies_left_pending(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = await asyncio.to_thread(talk, text="Late but here.")
    await dispatch.ashutdown()  # A process without a loop takes the turn ...
    reply = await ask(conversation)
    monkeypatch.setattr(dispatch, "RING_AGAIN_AFTER", timedelta(0))
    dispatch.serve()  # ... and one that serves sockets starts.
    async with asyncio.timeout(PATIENCE):
        while reply.status != "complete":
            await asyncio.sleep(0.01)
            await reply.arefresh_from_db()
    assert reply.content == "Late but here."


async def test_log_tells_ids_and_never_texts(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    conversation = await asyncio.to_thread(talk, text="ANSWER-CANARY")
    reply = await answer(conversation, "PROMPT-CANARY")
    assert str(reply.external_id) in caplog.text
    assert "CANARY" not in caplog.text


async def test_foreign_exception_ends_the_reply_without_its_text(
    talk: Talk, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    conversation = await asyncio.to_thread(talk)
    settings.POLLY["MODELS"]["SCRIPTED"]["backend"] = (
        "tests.chat.recording.BrokenInvoker"
    )
    reply = await answer(conversation)
    assert (reply.status, reply.error) == ("failed", "error")
    assert "RuntimeError" in caplog.text
    assert "SECRET" not in caplog.text


async def test_model_is_told_templates_as_they_were_written(
    talk: Talk, scripted: Script, settings: Any
) -> None:
    written = "{{ 7|add:7 }}{% now 'Y' %}{# gone #} {0.real} %(name)s %s ${1} {name}"
    conversation = await asyncio.to_thread(talk, text="Fine.")
    settings.POLLY["MODELS"]["SCRIPTED"]["backend"] = (
        "tests.chat.recording.RecordingInvoker"
    )
    requests.clear()
    parrot = conversation.parrot
    parrot.name, parrot.system_prompt = written, f"Prompt {written}"
    await parrot.asave()
    conversation.context = f"Context {written}"
    await conversation.asave()
    await answer(conversation, written)
    assert requests[-1] == [
        {"role": "system", "content": f"Prompt {written}\n\nContext {written}"},
        {"role": "user", "content": written},
    ]
