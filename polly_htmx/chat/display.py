"""Display: shows a running reply to its followers as it grows."""

from __future__ import annotations

import asyncio
import time

from polly_htmx.chat import layer
from polly_htmx.chat.events import ReplyText
from polly_htmx.chat.pace import Pace
from polly_htmx.markdown import render
from polly_htmx.models import Message

LONG_TEXT = 4_000
"""Texts over this many characters are rendered in a thread: on the event loop they
would hold up everybody else for more than some 10 ms."""
PAUSE = 0.5
"""Seconds without a new piece after which the text so far is shown, whatever it costs:
a reader must not look at half a word for as long as the model thinks."""


class Display:
    """One reply's way to the screens, a task of its own beside the reading."""

    def __init__(self, reply: Message) -> None:
        self.reply = reply
        self.text = ""
        self._number = 0
        self._pace = Pace()
        self._grown = asyncio.Event()

    def add(self, text: str) -> None:
        """Take the next piece of the answer."""
        self.text += text
        self._grown.set()

    async def run(self) -> None:
        """Show the text whenever it has grown and its turn has come; never ends."""
        while True:
            await self._grown.wait()
            self._grown.clear()
            await asyncio.sleep(self._pace.rest(time.monotonic()))
            if self._pace.affords(len(self.text)) or await self._has_paused():
                await self._show()

    async def _has_paused(self) -> bool:
        try:
            await asyncio.wait_for(self._grown.wait(), PAUSE)
        except TimeoutError:
            return True
        return False

    async def _show(self) -> None:
        self._grown.clear()
        text = self.text
        if len(text) > LONG_TEXT:
            html = await asyncio.to_thread(render, text)
        else:
            html = render(text)
        self._number += 1
        self._pace.sent(time.monotonic(), len(html))
        event = ReplyText(
            reply_id=self.reply.pk,
            reply=str(self.reply.external_id),
            number=self._number,
            html=str(html),
        )
        await layer.apublish(self.reply.conversation, event)
