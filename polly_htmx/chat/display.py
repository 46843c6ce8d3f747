"""Display: shows a running reply to its followers as it grows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from polly_htmx.chat import audience, desk, layer
from polly_htmx.chat.events import NO_WORDS, LastWords, ReplyGrew, ReplySoFar
from polly_htmx.chat.home import to_the_end
from polly_htmx.chat.pace import Pace
from polly_htmx.chat.thoughts import NO_NEWS, Thoughts
from polly_htmx.markdown import Change, MarkdownStream, render
from polly_htmx.markdown.parts import continued
from polly_htmx.models import Message

MUCH = 2_000
"""More new characters than this are rendered in a thread: on the event loop they
would hold up everybody else for more than some 10 ms."""
PAUSE = 0.5
"""Seconds without a new piece after which the text so far is shown, whatever it costs:
a reader must not look at half a word for as long as the model thinks."""
SHORT = 4_000
"""Answers up to this many characters of HTML are sent once more, whole, at their end:
that serves also those who missed something."""


class Display:
    """One reply's way to the screens, a task of its own beside the reading."""

    def __init__(self, reply: Message, run: str, holds: Callable[[], bool]) -> None:
        self.reply = reply
        self._text = reply.content
        self._pieces: list[str] = []
        self.thoughts = Thoughts(reply)
        self.number = 0
        self._run = run
        self._holds = holds
        self._pace = Pace()
        self._stream = MarkdownStream(reply.short_id)
        self._fed = 0
        self._asked: set[str] = set()
        self._stirred = asyncio.Event()

    @property
    def text(self) -> str:
        """The answer so far."""
        if self._pieces:
            # Not with each piece: that would copy the whole answer each time.
            self._text += "".join(self._pieces)
            self._pieces.clear()
        return self._text

    def add(self, text: str) -> None:
        """Take the next piece of the answer."""
        self._pieces.append(text)
        self._stirred.set()

    def wake(self) -> None:
        """Show that the model is being loaded."""
        self.thoughts.wake()
        self._stirred.set()

    def think(self, thought: str) -> None:
        """Take the next piece of the thoughts, "" for one that is kept back."""
        self.thoughts.think(thought)
        self._stirred.set()

    def speak(self) -> None:
        """Show that the answer has begun, whether there is anything to read yet."""
        if self.thoughts.speak():
            self._stirred.set()

    def ask(self, channel: str) -> None:
        """Send the reply as it stands to one follower, as soon as possible."""
        self._asked.add(channel)
        self._stirred.set()

    async def run(self) -> None:
        """Show the text whenever it has grown and its turn has come; never ends."""
        if self.reply.content:  # A reply that goes on: pages have this much already.
            await self._advance(self.reply.content)
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            await self._answer()
            if len(self.text) == self._fed and not self.thoughts.has_news:
                continue
            await self._rest()
            length = len(self.text) + len(self.thoughts.text)
            if self._pace.affords(length) or await self._has_paused():
                # To its end: what the stream has passed is not told a second time.
                await to_the_end(self._show())

    async def end(self) -> LastWords:
        """Return what pages lack at the end. To be called when run() is over."""
        text, news = self.text, self.thoughts.end()
        change = await self._in_time(self._stream.finish, text, len(text))
        last = LastWords(run=self._run, number=self.number + 1)
        if self.thoughts.text and (news is None or change is None):
            return NO_WORDS
        if change is None:
            html = str(await self._in_time(render, text, len(text)))
            return replace(last, html=html)
        shown, _tail = self._stream.whole()
        whole = continued(shown, change.closed)
        # Thoughts alone offer less to do than an answer: pages read the row then.
        is_short = len(whole) <= SHORT and not (text and self.thoughts.text)
        return replace(
            last,
            closed=str(change.closed),
            thought=news.thought if news else "",
            was_thinking=news is not None and news.phase is not None,
            is_empty=not text,
            html=whole if is_short else None,
        )

    async def _rest(self) -> None:
        followers = audience.size(layer.group_name(self.reply.conversation))
        wait = self._pace.rest(time.monotonic(), desk.running(), followers)
        if wait:
            begun = time.monotonic()
            await asyncio.sleep(wait)
            self._pace.woke(time.monotonic() - begun - wait)

    async def _has_paused(self) -> bool:
        try:
            # Not wait_for(): before Python 3.12 it loses a cancellation that comes in
            # the same moment as what it waits for, and this task would never end.
            async with asyncio.timeout(PAUSE):
                await self._stirred.wait()
        except TimeoutError:
            return True
        return False

    async def _show(self) -> None:
        # Counted first, so that a change which no page gets to see leaves a gap:
        # somebody else may own the reply by now (see the keeper).
        self.number += 1
        news = self.thoughts.news()
        change = await self._advance(self.text)
        if change == Change() and news == NO_NEWS:
            self.number -= 1
            return
        if not self._holds():
            return
        self._pace.sent(time.monotonic(), change.size + len(news.thought))
        event = ReplyGrew(
            reply_id=self.reply.pk,
            reply=str(self.reply.external_id),
            run=self._run,
            number=self.number,
            closed=str(change.closed),
            tail=None if change.tail is None else str(change.tail),
            kind=change.kind,
            grown=str(change.grown),
            open=None if change.open is None else str(change.open),
            thought=news.thought,
            opens=news.opens,
            phase=news.phase,
            relabels=news.relabels,
        )
        await layer.apublish(self.reply.conversation, event)

    async def _answer(self) -> None:
        """Tell those who asked how the reply stands."""
        if not self._asked or not self._holds():
            return
        asked, self._asked = self._asked, set()
        closed, tail = self._stream.whole()
        event = ReplySoFar(
            reply_id=self.reply.pk,
            run=self._run,
            number=self.number,
            closed=str(closed),
            tail=str(tail),
            thoughts=self.thoughts.so_far(),
            phase=self.thoughts.told,
        )
        for channel in asked:
            await layer.asend(channel, event)

    async def _advance(self, text: str) -> Change:
        grown = len(text) - self._fed
        if not grown:
            return Change()
        change: Change = await self._in_time(self._stream.feed, text, grown)
        self._fed = len(text)
        return change

    async def _in_time(self, work: Callable[..., object], text: str, size: int) -> Any:
        if size <= MUCH:
            return work(text)
        # To its end: a thread goes on after a cancellation, and would change the
        # stream under whoever uses it next.
        return await to_the_end(asyncio.to_thread(work, text))
