"""The display: who asks is told, and what can't be rendered stops no answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.utils.html import escape

from polly_htmx.chat import layer, runner
from polly_htmx.chat.display import Display
from polly_htmx.chat.events import ReplyEnded, ReplyGrew, ReplySoFar
from polly_htmx.markdown import MarkdownStream
from polly_htmx.models import Message, SmartConversation
from tests.chat.test_runner import Talk, ask, talk
from tests.patience import PATIENCE

__all__ = ["talk"]
TEXT = "One **two** three four five six."


def pending() -> Message:
    """Return a reply without a database."""
    return Message(pk=1, conversation=SmartConversation(pk=1))


class Told:
    """What was told to all, and to whom else."""

    def __init__(self) -> None:
        self.all: list[Any] = []
        self.some: list[tuple[str, Any]] = []
        self.news = asyncio.Event()

    async def publish(self, _conversation: Any, event: Any) -> None:
        """Stand in for layer.apublish()."""
        self.all.append(event)
        self.news.set()

    async def send(self, channel: str, event: Any) -> None:
        """Stand in for layer.asend()."""
        self.some.append((channel, event))
        self.news.set()

    async def until(self, count: int) -> None:
        """Return when so many have been told something by themselves."""
        async with asyncio.timeout(PATIENCE):
            while len(self.some) < count:
                self.news.clear()
                await self.news.wait()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """Return what is told instead of telling it."""
    told = Told()
    monkeypatch.setattr(layer, "apublish", told.publish)
    monkeypatch.setattr(layer, "asend", told.send)
    return told


async def test_each_who_asks_is_told_once_how_the_reply_stands(told: Told) -> None:
    display = Display(pending(), "run", lambda: True)
    task = asyncio.create_task(display.run())
    display.add("One two")
    async with asyncio.timeout(PATIENCE):
        while not told.all:  # noqa: ASYNC110 - until it is shown
            await asyncio.sleep(0.01)
    for channel in ("a", "b", "a"):
        display.ask(channel)
    await told.until(2)
    display.ask("c")
    await told.until(3)
    task.cancel()
    await asyncio.wait({task})
    assert sorted(channel for channel, _event in told.some) == ["a", "b", "c"]
    answers = [event for _channel, event in told.some]
    assert all(isinstance(event, ReplySoFar) for event in answers)
    assert {event.number for event in answers} == {display.number}
    assert all("One two" in event.closed + event.tail for event in answers)


async def test_run_in_doubt_about_its_lease_tells_nobody_and_leaves_a_gap(
    told: Told,
) -> None:
    holds = False
    display = Display(pending(), "run", lambda: holds)
    display.add("One ")
    display.ask("a")
    await display._show()
    await display._answer()
    assert not told.all
    assert not told.some
    holds = True
    display.add("two ")
    await display._show()
    assert [event.number for event in told.all] == [2], "Nobody can know of the first."


@pytest.mark.parametrize("frame", [1, 3])
@pytest.mark.django_db(transaction=True)
async def test_fault_of_the_renderer_stops_no_answer(
    talk: Talk, told: Told, monkeypatch: pytest.MonkeyPatch, frame: int
) -> None:
    frames = 0
    feed = MarkdownStream.feed

    def broken(self: MarkdownStream, text: str) -> Any:
        nonlocal frames
        frames += 1
        if frames >= frame:
            raise RecursionError("TEXT-CANARY")
        return feed(self, text)

    monkeypatch.setattr(MarkdownStream, "feed", broken)
    conversation = await asyncio.to_thread(talk, text=TEXT, pace=0.06)
    reply = await ask(conversation)
    await runner.arun_reply(reply.pk)
    await reply.arefresh_from_db()
    assert (reply.status, reply.content) == ("complete", TEXT)
    assert frames >= frame
    (end,) = (event for event in told.all if isinstance(event, ReplyEnded))
    # Nobody may take it for the next step of what was shown.
    shown = [event.number for event in told.all if isinstance(event, ReplyGrew)]
    assert end.html is not None or end.number > len(shown) + 1 or not end.run


@pytest.mark.django_db(transaction=True)
async def test_fault_inside_the_renderer_shows_the_text_as_it_is(
    talk: Talk,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    text = "<b>TEXT-CANARY</b> and **more** of it."

    def broken(*_args: Any) -> Any:
        raise RecursionError(text)

    monkeypatch.setattr("polly_htmx.markdown.stream.parse", broken)
    conversation = await asyncio.to_thread(talk, text=text, pace=0.06)
    reply = await ask(conversation)
    await runner.arun_reply(reply.pk)
    await reply.arefresh_from_db()
    assert (reply.status, reply.content) == ("complete", text)
    grown = [event for event in told.all if isinstance(event, ReplyGrew)]
    html = "".join(f"{e.closed}{e.tail or ''}{e.grown}{e.open or ''}" for e in grown)
    assert "<b>" not in html
    assert str(escape("<b>TEXT-CANARY</b>")) in html
    assert "CANARY" not in caplog.text
