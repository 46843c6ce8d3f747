"""The line: a socket that counts what passes, and takes events in their order."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import Any

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.utils import await_many_dispatch
from django.utils import translation

from polly_htmx.chat import layer
from polly_htmx.chat.events import Event
from polly_htmx.chat.home import to_the_end
from polly_htmx.consumers import closing
from polly_htmx.consumers.inbox import Inbox
from polly_htmx.consumers.outbox import Outbox
from polly_htmx.signals import raised_at

logger = logging.getLogger(__name__)

BACKLOG = 100
"""Events that wait for a page at the most: what a channel layer would keep for it."""


class Line(AsyncWebsocketConsumer):
    """A socket that sends fragments, and hears of what happens by events."""

    own_channel = False
    """
    Whether a socket has a channel of its own on the layer, for what a subclass sends
    there itself. What happens in conversations comes without: one for each socket
    would cost a task and a queue. One with ``groups`` has it in any case.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.language = translation.get_language() or "en"
        self.is_closed = False
        self.inbox = Inbox()
        self.outbox = Outbox()
        self._coming: list[Event] = []
        self._taking: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """
        Serve a socket.

        Channels' own way ends the socket when its channel layer fails. Ours is kept
        up by the database meanwhile, and hears again when the layer is back.
        """
        self.scope, self.base_send = scope, send
        self.channel_layer = layer.site_layer()
        self._context = copy_context()
        try:
            with suppress(StopConsumer):
                await self._serve(receive)
        finally:
            # Here and not in disconnect(): a server that loses its patience with us
            # cancels this task and calls nothing.
            await to_the_end(self._end())

    async def _serve(self, receive: Any) -> None:
        if self.own_channel or self.groups:
            ear = layer.Ear()
            self.channel_name = await ear.open()
            both: Any = [receive, partial(ear.hear, lambda: None)]
            await await_many_dispatch(both, self.dispatch)
        while True:
            await self.dispatch(await receive())

    async def _end(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
        await self.tidy_up()

    async def dispatch(self, message: Any) -> None:
        """Handle what comes, most of it the short way."""
        # Channels' own way first has a thread tidy up database connections, which
        # in_database() does where one is used.
        if message["type"] == "websocket.receive":
            await self.websocket_receive(message)
        else:
            await super().dispatch(message)

    async def websocket_connect(self, message: Any) -> None:
        """
        Open the line, as Channels does.

        A page whose line can't be opened just now is told to come back. A server's own
        way to close a socket that failed would be the last word for htmx 2.
        """
        try:
            await super().websocket_connect(message)
        except Exception as exc:  # noqa: BLE001  (of the database, or a host's hooks)
            logger.error(  # noqa: TRY400  (a foreign text may hold anything)
                "socket not opened fault=%s at=%s", type(exc).__name__, raised_at(exc)
            )
            await self.hang_up(closing.COME_BACK)

    def hear(self, event: Event) -> None:
        """Take an event, for a task that handles one after the other."""
        if self.is_closed or len(self._coming) >= BACKLOG:
            return  # What is lost is found again: see the watch.
        self._coming.append(event)
        if self._taking is None:
            self._taking = self._spawn(self._take())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start some work of this socket in a task of its own."""
        # In a copy of our own context, for that may say on whose database we work; two
        # tasks in one could not use the database at once.
        loop = asyncio.get_running_loop()
        return loop.create_task(work, context=self._context.copy())

    async def _take(self) -> None:
        try:
            while self._coming:
                await self.heard(self._coming.pop(0))
        finally:
            self._taking = None

    async def heard(self, event: Event) -> None:
        """Handle an event; raises nothing."""
        raise NotImplementedError

    async def tidy_up(self) -> None:
        """Let go of what the socket has taken; called once, however it ended."""
        raise NotImplementedError

    async def send_fragment(
        self, fragment: Callable[..., str], *args: Any, **kwargs: Any
    ) -> None:
        """Render a fragment in the page's language, and send it."""
        with translation.override(self.language):
            frame = fragment(*args, **kwargs)
        await self.send_frame(frame)

    async def send_frame(self, frame: str) -> None:
        """Send a frame, unless so much is unread that the line is better closed."""
        if self.is_closed:
            return
        if self.outbox.is_dead:
            # The server would keep in memory what nobody reads. Asked before this
            # frame counts: one that is very long closes no page which keeps up.
            await self.hang_up(closing.UNREAD)
        else:
            size = len(frame.encode())
            self.outbox.sent(size, time.monotonic())
            try:
                await self.send(text_data=frame)
            except Exception as exc:  # noqa: BLE001  (each server has its own faults)
                # A frame above the server's limit, most likely. A socket that ended of
                # it would come back, ask for the same and end again.
                logger.warning(
                    "frame not sent bytes=%s fault=%s", size, type(exc).__name__
                )

    async def hang_up(self, code: int) -> None:
        """Close the line, and hear nothing more of what is on its way."""
        self.is_closed = True
        await self.close(code)
