"""An OpenAI-compatible provider on a real socket that misbehaves to order."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

from tests.patience import PATIENCE

Script = Callable[["Exchange"], Awaitable[None]]
"""What the provider does with one request."""


@dataclass(kw_only=True)
class Exchange:
    """One request as it arrived, and the means to answer it, well or badly."""

    provider: FakeProvider
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    closed: threading.Event = field(default_factory=threading.Event)
    """Set as soon as the client has closed its end."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """The same for scripts, which run on the provider's loop."""
    closed_at: float = 0.0
    """time.monotonic() of that moment."""
    sent: int = 0
    """Number of content pieces sent so far."""

    async def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def head(self, status: str = "200 OK", **headers: str) -> None:
        """Send the status line and headers; an event stream unless told."""
        headers = {"content_type": "text/event-stream", "connection": "close"} | headers
        lines = [
            f"{name.replace('_', '-')}: {value}" for name, value in headers.items()
        ]
        await self.raw("\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode())

    async def answer(self, status: str, body: str, **headers: str) -> None:
        """Send a whole response that is not a stream."""
        data = body.encode()
        await self.head(status, content_length=str(len(data)), **headers)
        await self.raw(data)

    async def data(self, payload: object) -> None:
        """Send one event of the stream."""
        await self.raw(f"data: {json.dumps(payload)}\n\n".encode())

    async def delta(self, *, finish: str | None = None, **delta: object) -> None:
        """Send one chunk of a chat completion."""
        await self.data(self.chunk(finish=finish, **delta))

    def chunk(self, *, finish: str | None = None, **delta: object) -> dict[str, Any]:
        """Return one chunk of a chat completion."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {
            "id": "chatcmpl-fake",
            "object": "chat.completion.chunk",
            "created": 1_700_000_000,
            "model": self.body.get("model", "fake"),
            "choices": [choice],
        }

    async def words(self) -> None:
        """Send the role and the provider's pieces, at its pace."""
        await self.delta(role="assistant", content="")
        for piece in self.provider.pieces:
            await self.delta(content=piece)
            self.sent += 1
            if self.provider.pace:
                await asyncio.sleep(self.provider.pace)

    async def usage(self) -> None:
        """Send what was used, in a chunk of its own."""
        figures = {"prompt_tokens": 7, "completion_tokens": 4, "total_tokens": 11}
        await self.data(self.chunk() | {"choices": [], "usage": figures})

    async def done(self) -> None:
        """Send the end of the stream."""
        await self.raw(b"data: [DONE]\n\n")

    async def until_closed(self) -> None:
        """Wait for the client to go away."""
        await self.gone.wait()

    def reset(self) -> None:
        """Break the connection with a RST instead of a FIN."""
        sock = self.writer.get_extra_info("socket")
        linger = struct.pack("ii", 1, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()


async def stop_accepting(server: asyncio.Server) -> None:
    """
    Close a server, with all that it has accepted known to it.

    asyncio takes a connection in two turns of the loop. One whose second turn comes
    after close() is detached later than a server can bear, in whichever test that is.
    """
    for listening in server.sockets:
        asyncio.get_running_loop().remove_reader(listening)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    server.close()


class FakeProvider:
    """
    The server, in a thread of its own, so that a blocked test cannot block it.

    The model's name in the request picks the script; ``exchanges`` keeps all
    that came in.
    """

    def __init__(self, scripts: dict[str, Script] | None = None) -> None:
        self.scripts: dict[str, Script] = dict(scripts or {})
        self.pieces: list[str] = ["Hel", "lo ", "wor", "ld"]
        self.pace: float = 0.0
        self.thoughts = 20
        """How many the script "pondering" has."""
        self.exchanges: list[Exchange] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE)

    @property
    def url(self) -> str:
        """The address to use as api_base."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def last(self) -> Exchange:
        """The newest exchange."""
        return self.exchanges[-1]

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        await stop_accepting(server)
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # Transports close in the loop's next turn.
        await asyncio.sleep(0)

    async def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            await self._exchange(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, or the provider is to stop
        finally:
            # It stays one of the writers: what is not read yet keeps it open.
            writer.close()
            self._tasks.discard(task)

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        exchange = await self._receive(reader, writer)
        self.exchanges.append(exchange)
        watch = asyncio.create_task(_watch(exchange))
        try:
            await self.scripts[exchange.body.get("model", exchange.path)](exchange)
        finally:
            writer.close()
            await watch

    async def _receive(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Exchange:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = [line.split(": ", 1) for line in lines[1:] if line]
        headers = {name.lower(): value for name, value in pairs}
        data = await reader.readexactly(int(headers.get("content-length", 0)))
        return Exchange(
            provider=self,
            reader=reader,
            writer=writer,
            path=lines[0].split(" ")[1],
            headers=headers,
            body=json.loads(data) if data else {},
        )


async def _watch(exchange: Exchange) -> None:
    with contextlib.suppress(OSError):
        while await exchange.reader.read(1024):
            pass
    exchange.closed_at = time.monotonic()
    exchange.closed.set()
    exchange.gone.set()


def closed_port() -> int:
    """Return a port at which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
