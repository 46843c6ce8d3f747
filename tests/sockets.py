"""A socket as the page opens it: the whole ASGI stack, cookies and Origin included."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from tests.asgi import application
from tests.patience import PATIENCE

ORIGIN = (b"origin", b"http://testserver")
HOST = (b"host", b"testserver")


def cookies(client: Client) -> list[tuple[bytes, bytes]]:
    """Return the headers that carry a test client's session."""
    session = client.cookies.get(settings.SESSION_COOKIE_NAME)
    if session is None:
        return []
    return [(b"cookie", f"{session.key}={session.value}".encode())]


def communicator(
    path: str,
    client: Client | None = None,
    headers: list[tuple[bytes, bytes]] | None = None,
) -> WebsocketCommunicator:
    """Return a socket to a path, with the session of a test client."""
    own = [HOST, ORIGIN] if headers is None else headers
    return WebsocketCommunicator(
        application, path, headers=[*own, *(cookies(client) if client else [])]
    )


def chat_path(key: Any, *, admin: bool = False, query: str = "") -> str:
    """Return the path of a conversation's socket."""
    kind = "smart-gpt-admin" if admin else "smart-gpt"
    return f"/polly/ws/{kind}/{key}/{query}"


class Page:
    """The far end of a socket: sends as htmx does, and keeps what it got."""

    def __init__(self, socket: WebsocketCommunicator) -> None:
        self.socket = socket
        self.frames: list[str] = []

    async def send(self, message: str, **fields: Any) -> None:
        """Send a message as htmx 2 does."""
        await self.socket.send_to(
            text_data=json.dumps({"message": message, **fields, "HEADERS": {}})
        )

    async def raw(self, text: str) -> None:
        """Send a frame as it is."""
        await self.socket.send_to(text_data=text)

    async def frame(self) -> str:
        """Return the next frame."""
        frame = str(await self.socket.receive_from(timeout=PATIENCE))
        self.frames.append(frame)
        return frame

    async def until(self, *marks: str) -> str:
        """Return the first frame that holds all the marks."""
        while True:
            frame = await self.frame()
            if all(mark in frame for mark in marks):
                return frame

    async def close_code(self) -> int:
        """Return the code with which the server closes, after the frames before it."""
        while True:
            output = await self.socket.receive_output(timeout=PATIENCE)
            if output["type"] == "websocket.close":
                return int(output["code"])
            self.frames.append(output["text"])


@asynccontextmanager
async def page(
    key: Any, client: Client | None = None, **options: Any
) -> AsyncIterator[Page]:
    """Open a conversation's socket, and close it at the end."""
    path = key if str(key).startswith("/") else chat_path(key, **options)
    headers = await sync_to_async(lambda: communicator(path, client))()
    connected, _ = await headers.connect(timeout=PATIENCE)
    assert connected
    try:
        yield Page(headers)
    finally:
        await headers.disconnect()
