"""Thoughts: kept beside the answer, told in pieces, and hidden where they must be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import LazySettings

from polly_htmx.access import Who
from polly_htmx.chat import acontinue_reply, dispatch, runner, thoughts as thinking
from polly_htmx.chat.display import Display
from polly_htmx.chat.events import ReplyEnded, ReplyGrew, ReplySoFar
from polly_htmx.chat.keeper import Keeper
from polly_htmx.chat.leases import interrupt_expired
from polly_htmx.chat.thoughts import Thoughts
from polly_htmx.llm import Reasoning, ScriptedInvoker
from polly_htmx.llm.messages import ChatMessage, ProviderEvent
from polly_htmx.models import Message, Parrot
from tests.chat.recording import requests
from tests.chat.test_display import Told, pending, told
from tests.chat.test_runner import Script, Talk, answer, ask, talk

__all__ = ["talk", "told"]
pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 30
THOUGHT = "Let <b>me</b> see.\n\n<script>alert(1)</script> **Yes.**"
SHOWN = (
    "Let &lt;b&gt;me&lt;/b&gt; see.\n\n&lt;script&gt;alert(1)&lt;/script&gt; **Yes.**"
)
PARTS = ("closed", "tail", "grown", "open", "thought")


class MusingInvoker(ScriptedInvoker):
    """Thinks, and never comes to an answer."""

    async def provider_events(
        self, messages: list[ChatMessage]
    ) -> AsyncGenerator[ProviderEvent]:
        if messages:
            yield Reasoning("Hm. ")
        await asyncio.Event().wait()


def grown(told: Told) -> list[ReplyGrew]:
    return [event for event in told.all if isinstance(event, ReplyGrew)]


def end_of(told: Told) -> ReplyEnded:
    [end] = [event for event in told.all if isinstance(event, ReplyEnded)]
    return end


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - until it is so, somewhere else
            await asyncio.sleep(0.01)


async def test_thoughts_are_kept_apart_and_told_as_text(talk: Talk, told: Told) -> None:
    script = {"reasoning": f"\n{THOUGHT}\n", "text": "It is so.", "pace": 0.06}
    reply = await answer(await asyncio.to_thread(talk, **script))
    assert (reply.content, reply.reasoning) == ("It is so.", f"{THOUGHT}\n")
    assert reply.thought_seconds is not None
    assert end_of(told).thought_seconds == reply.thought_seconds
    events, end = grown(told), end_of(told)
    thoughts = "".join(event.thought for event in events) + end.thought
    assert thoughts == f"{SHOWN}\n"
    assert [event.phase for event in events if event.phase is not None] == [
        "thinking",
        "",
    ]
    assert [event.opens for event in events] == [True, *[False] * (len(events) - 1)]
    # Nobody's open thoughts are closed by an article that takes the old one's place.
    assert end.html is None
    assert end.run


async def test_thoughts_are_never_sent_back(talk: Talk, settings: LazySettings) -> None:
    conversation = await asyncio.to_thread(
        talk, reasoning="A CANARY thought.", text="Yes."
    )
    backend = "tests.chat.recording.RecordingInvoker"
    models = settings.POLLY["MODELS"]
    entry = {**models["SCRIPTED"], "backend": backend}
    settings.POLLY = {**settings.POLLY, "MODELS": {**models, "SCRIPTED": entry}}
    requests.clear()
    await answer(conversation)
    await answer(conversation, "And now?")
    assert len(requests) == 2
    assert "CANARY" not in str(requests)
    requests.clear()


async def test_hidden_thoughts_are_kept_and_told_to_nobody(
    talk: Talk, told: Told, parrot: Parrot
) -> None:
    script = {"reasoning": "A CANARY thought.", "text": "It is so.", "pace": 0.06}
    conversation = await asyncio.to_thread(talk, **script)
    await Parrot.objects.aupdate(shows_thinking=False)
    reply = await answer(conversation)
    assert reply.reasoning == "A CANARY thought."
    assert "CANARY" not in str(told.all)
    phases = [event.phase for event in grown(told) if event.phase is not None]
    assert phases == ["thinking", ""]
    shown = await Message.objects.select_related("version__parrot").aget(pk=reply.pk)
    assert shown.thoughts == ""
    await Parrot.objects.aupdate(shows_thinking=True)
    shown = await Message.objects.select_related("version__parrot").aget(pk=reply.pk)
    assert "CANARY" in shown.thoughts


@pytest.mark.parametrize("kind", ["Shout", "Judge"])
async def test_where_hooks_pass_on_answers_thoughts_are_neither_told_nor_kept(
    talk: Talk, told: Told, settings: LazySettings, kind: str
) -> None:
    hooks = [f"tests.site_hooks.{kind}"]
    script = {"reasoning": "A CANARY thought.", "text": "It is so.", "pace": 0.06}
    conversation = await asyncio.to_thread(talk, **script)
    settings.POLLY = {**settings.POLLY, "HOOKS": hooks}
    reply = await answer(conversation)
    assert reply.status == "complete"
    assert reply.reasoning == ""
    assert "CANARY" not in str(told.all)
    assert grown(told)[0].phase == "thinking"


async def test_hooks_for_messages_alone_keep_no_thoughts_back(
    talk: Talk, settings: LazySettings
) -> None:
    conversation = await asyncio.to_thread(talk, reasoning="Hm.", text="Yes.")
    settings.POLLY = {**settings.POLLY, "HOOKS": ["tests.site_hooks.Empty"]}
    parrot = conversation.parrot
    reply = await Message.objects.acreate(
        conversation=conversation,
        party="ASSISTANT",
        status="pending",
        version=await asyncio.to_thread(parrot.current_version),
        parent=await Message.objects.acreate(
            conversation=conversation, party="USER", content="Hi"
        ),
    )
    await runner.arun_reply(reply.pk)
    await reply.arefresh_from_db()
    assert reply.reasoning == "Hm."


@pytest.mark.parametrize("fault", ["stall", "error", "empty"])
async def test_failure_keeps_the_thoughts(
    talk: Talk, settings: LazySettings, fault: str
) -> None:
    settings.POLLY = {**settings.POLLY, "GAP_TIMEOUT": 0.3, "RETRIES": 0}
    script = {"reasoning": "Let me see.", "text": "One two", "fault": fault}
    reply = await answer(await asyncio.to_thread(talk, **script))
    assert (reply.status, reply.reasoning) == ("failed", "Let me see.")


async def test_stop_keeps_the_thoughts_and_more_are_added_when_it_goes_on(
    talk: Talk, told: Told, settings: LazySettings, scripted: Script, replies: None
) -> None:
    conversation = await asyncio.to_thread(talk, text="Never said.")
    backend = "tests.chat.test_thoughts.MusingInvoker"
    entry = {**settings.POLLY["MODELS"]["SCRIPTED"], "backend": backend}
    settings.POLLY = {**settings.POLLY, "MODELS": {"SCRIPTED": entry}}
    reply = await ask(conversation)
    await until(lambda: bool(grown(told)))
    await asyncio.to_thread(dispatch.ring_stop, reply.pk)
    await until(lambda: any(isinstance(event, ReplyEnded) for event in told.all))
    await reply.arefresh_from_db()
    assert (reply.status, reply.content, reply.reasoning) == ("stopped", "", "Hm. ")
    assert end_of(told).was_thinking
    told.all.clear()
    scripted(reasoning="\nAgain.", text="Yes.", pace=0.06)
    await acontinue_reply(reply, who=Who(user=conversation.user))
    await until(lambda: any(isinstance(event, ReplyEnded) for event in told.all))
    await reply.arefresh_from_db()
    assert (reply.content, reply.reasoning) == ("Yes.", "Hm. \n\nAgain.")
    assert "".join(event.thought for event in grown(told)) == "\n\nAgain."
    assert not any(event.opens for event in grown(told))


async def test_checkpoint_saves_the_thoughts_and_a_death_leaves_them(
    talk: Talk, settings: LazySettings
) -> None:
    reply = await ask(await asyncio.to_thread(talk))
    owner = reply.external_id
    claim = Message.objects.claim
    assert await asyncio.to_thread(claim, reply.pk, owner=owner, seconds=60)
    keeper = Keeper(reply, owner, text=lambda: "", thoughts=lambda: "Let me see.")
    task = asyncio.create_task(keeper.run(lambda: None, lambda: None))
    async with asyncio.timeout(PATIENCE):
        while not reply.reasoning:
            await asyncio.sleep(0.01)
            await reply.arefresh_from_db()
    task.cancel()
    await asyncio.wait({task})
    assert (reply.content, reply.is_thinking) == ("", True)
    await Message.objects.filter(pk=reply.pk).aupdate(lease_until=reply.created_at)
    assert await asyncio.to_thread(interrupt_expired) == 1
    await reply.arefresh_from_db()
    assert (reply.status, reply.reasoning) == ("interrupted", "Let me see.")


async def test_endless_thoughts_are_cut(talk: Talk, settings: LazySettings) -> None:
    settings.POLLY = {**settings.POLLY, "MAX_ANSWER_CHARS": 1_000}
    conversation = await asyncio.to_thread(talk, reasoning=["Hm. " * 90] * 9)
    reply = await answer(conversation)
    assert (len(reply.reasoning), reply.finish_reason) == (1_000, "cut")
    assert reply.content == ""


async def test_who_joins_is_told_what_the_reply_does(told: Told) -> None:
    display = Display(pending(), "run", lambda: True)
    for act, phase, thoughts in [
        (display.wake, "waking", ""),
        (lambda: display.think("Let <me> see."), "thinking", "Let &lt;me&gt; see."),
        (display.speak, "", "Let &lt;me&gt; see."),
    ]:
        act()
        await display._show()
        display.ask("channel")
        await display._answer()
        _channel, event = told.some[-1]
        assert isinstance(event, ReplySoFar)
        assert (event.phase, event.thoughts) == (phase, thoughts)
        assert event.number == display.number == len(told.all)


async def test_plain_answer_says_nothing_of_thoughts(talk: Talk, told: Told) -> None:
    reply = await answer(
        await asyncio.to_thread(talk, text="One two three.", pace=0.06)
    )
    assert reply.thought_seconds is None
    assert grown(told)
    for event in grown(told):
        assert (event.thought, event.opens, event.phase) == ("", False, None)
    assert end_of(told).html is not None


async def test_much_thought_costs_what_it_is_long(talk: Talk, told: Told) -> None:
    pieces = ["Some words of thought. " * 20] * 120
    script: dict[str, Any] = {"reasoning": pieces, "text": "Yes.", "pace": 0.002}
    reply = await answer(await asyncio.to_thread(talk, **script))
    assert len(grown(told)) > 3
    sizes = sum(
        len(getattr(event, part) or "") for event in grown(told) for part in PARTS
    )
    assert sizes < len(reply.reasoning) + 1_000


def test_half_a_line_end_waits_for_its_other_half() -> None:
    thoughts = Thoughts(Message())
    thoughts.think("One\r")
    assert thoughts.news().thought == "One"
    assert not thoughts.has_news
    thoughts.think("\ntwo\r")
    assert thoughts.news().thought == "\ntwo"
    last = thoughts.end()
    assert last is not None
    assert last.thought == "\n"


def test_thinking_is_timed_until_the_first_word_and_over_all_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([100.0, 102.4, 200.0, 203.2, 300.0])
    monkeypatch.setattr(
        thinking, "time", SimpleNamespace(monotonic=lambda: next(clock))
    )
    assert Thoughts(Message()).seconds is None
    thoughts = Thoughts(Message())
    thoughts.think("One")
    thoughts.think(" two")
    thoughts.speak()
    thoughts.speak()
    thoughts.think(" three")  # As it writes: no reader waits for that.
    thoughts.end()
    assert thoughts.seconds == 2
    again = Thoughts(Message(reasoning=thoughts.text, thought_seconds=2))
    again.think("four")
    again.end()
    assert again.seconds == 5
    after_a_crash = Thoughts(Message(reasoning="One"))
    after_a_crash.think("two")
    after_a_crash.speak()
    assert after_a_crash.seconds is None
