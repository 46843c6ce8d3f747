"""The line: a socket that counts what passes, and outlives its channel layer."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.utils import await_many_dispatch
from django.utils import translation

from polly_htmx.chat import layer
from polly_htmx.chat.home import to_the_end
from polly_htmx.consumers import closing
from polly_htmx.consumers.inbox import Inbox
from polly_htmx.consumers.outbox import Outbox

logger = logging.getLogger(__name__)


class Line(AsyncWebsocketConsumer):
    """A socket that sends fragments, and hears of what happens by events."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.language = translation.get_language() or "en"
        self.is_closed = False
        self.hears = False
        """Whether the channel layer brings us what happens, as far as we know."""
        self.ear = layer.Ear()
        self.inbox = Inbox()
        self.outbox = Outbox()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """
        Serve a socket.

        Channels' own way ends the socket when its channel layer fails. Ours is kept
        up by the database meanwhile, and hears again when the layer is back.
        """
        self.scope, self.base_send = scope, send
        self.channel_layer = layer.site_layer()
        self.channel_name = await self.ear.open()
        both: Any = [receive, self._hear]
        try:
            with suppress(StopConsumer):
                await await_many_dispatch(both, self.dispatch)
        finally:
            # Here and not in disconnect(): a server that loses its patience with us
            # cancels this task and calls nothing.
            await to_the_end(self.tidy_up())

    async def dispatch(self, message: Any) -> None:
        """Handle what comes, most of it the short way."""
        # Channels' own way first has a thread tidy up database connections, which
        # in_database() does where one is used.
        if message["type"] == layer.EVENT_TYPE:
            await self.polly_event(message)
        elif message["type"] == "websocket.receive":
            await self.websocket_receive(message)
        else:
            await super().dispatch(message)

    async def polly_event(self, message: dict[str, Any]) -> None:
        """Take an event of the channel layer."""
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

    async def _hear(self) -> dict[str, Any]:
        return await self.ear.hear(self._deafened)

    def _deafened(self) -> None:
        self.hears = False
