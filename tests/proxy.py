"""A wire between two processes that can be cut, muted or slowed down."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Self

from tests.fake_provider import stop_accepting
from tests.patience import PATIENCE

CHUNK = 65_536
Address = tuple[str, int] | str
"""A host and port, or the path of a Unix socket."""


class Proxy:
    """
    Listens on a port of its own and passes everything on to an address.

    It lives in a thread of its own, so a blocked test cannot block it.
    """

    def __init__(self, target: Address) -> None:
        self.target = target
        self.delay = 0.0
        """Seconds that each piece is held back, in both directions."""
        self.accepts = True
        """Whether new connections are passed on; others are closed at once."""
        self.passed = 0
        """Bytes passed on to the clients so far."""
        self._open: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        """The address for HTTP, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    def cut(self) -> None:
        """Break all connections; new ones are taken, unless accepts is False."""
        self._call(self._abort)

    def blackhole(self) -> None:
        """Hold back everything, and let all connections stay open."""
        self._call(self._flow.clear)

    def restore(self) -> None:
        """Pass on again what was held back and what comes."""
        self._call(self._flow.set)

    def _call(self, action: Callable[[], object]) -> None:
        done = threading.Event()

        def run() -> None:
            action()
            done.set()

        self._loop.call_soon_threadsafe(run)
        assert done.wait(PATIENCE)

    def _abort(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop, self._flow = asyncio.Event(), asyncio.Event()
        self._flow.set()
        tasks: set[asyncio.Task[None]] = set()

        def accepted(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            task = asyncio.create_task(self._connection(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        server = await asyncio.start_server(accepted, "127.0.0.1", 0)
        self.port: int = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        await stop_accepting(server)
        self._abort()
        for task in [*tasks]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Transports close in the loop's next turn.
        await asyncio.sleep(0)

    async def _connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError):
            if self.accepts:
                far_reader, far_writer = await self._connect()
                self._open |= {writer, far_writer}
                there = self._pass_on(reader, far_writer)
                back = self._pass_on(far_reader, writer, counted=True)
                await asyncio.gather(there, back)
        writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.target, str):
            return await asyncio.open_unix_connection(self.target)
        return await asyncio.open_connection(*self.target)

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        counted: bool = False,
    ) -> None:
        try:
            while data := await reader.read(CHUNK):
                await asyncio.sleep(self.delay)
                await self._flow.wait()
                self.passed += len(data) if counted else 0
                writer.write(data)
                await writer.drain()
        except OSError:
            pass  # cut
        finally:
            self._open.discard(writer)
            writer.close()
