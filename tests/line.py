"""A tab without a browser: it loads a page, opens its socket and lives on the frames."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from tests.applied import NOTHING, Ignored, Page
from tests.patience import PATIENCE

CONNECT = ("ws-connect", "hx-ws:connect")
"""The attributes that hold a socket's address under htmx 2 and 4."""
STATUS = "data-status="
RUNNING = tuple(f'{STATUS}"{name}"' for name in ("pending", "streaming", "waiting"))


class Served(Protocol):
    """Whatever has an address: a site, or a wire to it."""

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""


class Line:
    """
    A conversation's page, open in a tab of somebody who is signed in.

    ``frames`` keeps what came since the page was loaded, ``page`` what htmx would
    have made of it. Frames are read as they come, wanted or not, unless ``deaf()``.
    """

    def __init__(self, site: Served, conversation: Any, cookie: str) -> None:
        self.site = site
        self.conversation = str(conversation)
        self.cookie = cookie
        self.frames: list[str] = []
        self.received = 0
        """Bytes of all frames, over all connections."""
        self.page: Page
        self.socket: ClientConnection | None = None
        self.closed = asyncio.Event()
        """Set when the connection is lost, for whatever reason."""
        self.fault: AssertionError | None = None
        self._news = asyncio.Condition()
        self._hearing = asyncio.Event()
        self._hearing.set()
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.load()
        await self.connect()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.hang_up()

    # The page

    async def fetch(self) -> Page:
        """Return the page as somebody who comes now would see it."""
        path = f"/polly/c/{self.conversation}/"
        headers = {"Cookie": self.cookie}
        async with _client() as client:
            answer = await client.get(f"{self.site.url}{path}", headers=headers)
        assert answer.status_code == httpx.codes.OK, answer.status_code
        return Page(answer.text)

    async def load(self) -> None:
        """Load the page, or load it again; the socket stays as it is."""
        self.page = await self.fetch()
        self.frames.clear()

    async def assert_equals_fresh(
        self, ignored: Ignored = NOTHING, patience: float = 5
    ) -> None:
        """Fail unless the page shows what a freshly loaded one does, or soon will."""
        deadline = time.monotonic() + patience
        while True:
            known, fresh = len(self.frames), await self.fetch()
            try:
                self.page.assert_equals(fresh, self.conversation, ignored)
            except AssertionError:
                if (left := deadline - time.monotonic()) <= 0:
                    raise
                with suppress(TimeoutError):
                    await self._grown(known, left)
            else:
                return

    # The socket

    async def connect(self, **options: Any) -> None:
        """Open the socket that the page names; again, if it was lost, as htmx does."""
        assert self.socket is None, "The line stands."
        address = self.page.attribute(*CONNECT)
        assert address, "The page names no socket."
        headers = {"Cookie": self.cookie}
        self.socket = await connect(
            f"{self.site.url.replace('http', 'ws', 1)}{address}",
            **{
                "origin": Origin(_origin(self.site.url)),
                "additional_headers": headers,
                "max_size": None,
                "open_timeout": PATIENCE,
                "proxy": None,
                **options,
            },
        )
        self.closed.clear()
        self._reader = asyncio.create_task(self._read(self.socket))

    async def hang_up(self) -> None:
        """Close the socket, if it is open, as a closed tab does."""
        if self.socket is not None:
            self._hearing.set()
            await self.socket.close()
        if self._reader is not None:
            await self._reader

    def cut(self) -> None:
        """Lose the connection without a word, as a train in a tunnel does."""
        assert self.socket is not None
        self.socket.transport.abort()

    def deaf(self) -> None:
        """Stop reading: what comes stays in the buffers, and then with the server."""
        self._hearing.clear()

    def hear(self) -> None:
        """Read again."""
        self._hearing.set()

    async def send(self, message: str, nonce: str | None = None, **fields: str) -> str:
        """Send a message as htmx 2 does; return its nonce."""
        nonce = nonce or uuid.uuid4().hex
        await self.raw({"message": message, "nonce": nonce, **fields, "HEADERS": {}})
        return nonce

    async def act(self, action: str, target: str = "", **fields: str) -> None:
        """Ask for something that is no new message: stop, regenerate, seen."""
        await self.raw({"action": action, "target": target, **fields, "HEADERS": {}})

    async def raw(self, fields: dict[str, Any]) -> None:
        """Send a frame as it is."""
        assert self.socket is not None, "The line is lost."
        await self.socket.send(json.dumps(fields))

    async def until(
        self, *marks: str, since: int = 0, patience: float = PATIENCE
    ) -> str:
        """
        Return the first frame that holds all the marks, however long ago it came.

        ``since`` leaves out as many frames: ``len(line.frames)`` waits for a new one.
        """
        found: list[str] = []

        def is_there() -> bool:
            frames = self.frames[since:]
            found[:] = [f for f in frames if all(mark in f for mark in marks)][:1]
            return bool(found) or self.closed.is_set()

        await self.wait_until(is_there, str(marks), patience)
        assert found, f"The line was lost before {marks} came."
        return found[0]

    async def until_shown(self, *marks: str, patience: float = PATIENCE) -> None:
        """Return when the log of the page holds all the marks."""
        await self.wait_until(
            lambda: all(mark in self.log for mark in marks), str(marks), patience
        )

    async def until_settled(self, patience: float = PATIENCE) -> None:
        """Return when the page shows no running reply, and at least one message."""
        await self.wait_until(
            lambda: (
                STATUS in self.log and not any(mark in self.log for mark in RUNNING)
            ),
            "the end of the reply",
            patience,
        )

    @property
    def log(self) -> str:
        """The log of the page as HTML."""
        return self.page.log(self.conversation).html

    async def wait_until(
        self, holds: Callable[[], bool], what: str, patience: float = PATIENCE
    ) -> None:
        """Return when something holds that only a frame can change."""
        try:
            async with asyncio.timeout(patience), self._news:
                await self._news.wait_for(lambda: self.fault is not None or holds())
        except TimeoutError:
            last = [frame[:300] for frame in self.frames[-3:]]
            raise AssertionError(f"{what} did not come; the last: {last}") from None
        if self.fault is not None:
            raise self.fault

    async def _grown(self, known: int, patience: float) -> None:
        async with asyncio.timeout(patience), self._news:
            await self._news.wait_for(lambda: len(self.frames) > known)

    async def _read(self, socket: ClientConnection) -> None:
        try:
            while True:
                await self._hearing.wait()
                await self._take(str(await socket.recv()))
        except ConnectionClosed:
            pass
        except AssertionError as exc:
            # A frame that htmx could not make sense of: whoever waits is told.
            self.fault = exc
            await socket.close()
        finally:
            self.socket = None
            self.closed.set()
            async with self._news:
                self._news.notify_all()

    async def _take(self, frame: str) -> None:
        self.received += len(frame.encode())
        self.page.apply(frame)
        async with self._news:
            self.frames.append(frame)
            self._news.notify_all()


def _client() -> httpx.AsyncClient:
    # To load the certificates of all the world takes longer than to load a page.
    return httpx.AsyncClient(trust_env=False, timeout=PATIENCE, verify=False)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
