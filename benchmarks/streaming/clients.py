"""
All sockets of one measurement, in a process of their own.

Reads a job as JSON, says "ready" when all sockets are open, starts at the next line
of its input, and prints what it saw. Started by benchmarks.streaming.field.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.streaming.texts import ARRIVAL, END, STAMP

QUIET = 0.7
"""Seconds without a frame after which no more belongs to an answer."""
PING_EVERY = 0.005
AT_ONCE = 50
"""Handshakes side by side; more would only queue up at the server."""


class Tab:
    """One socket: it may ask, and it notes what comes."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.bytes = self.frames = self.coloured = 0
        self.sent = self.ended = 0
        self.first: float | None = None
        self.last: float | None = None
        self.lags: list[float] = []
        self.pings: list[float] = []
        self.done = asyncio.Event()
        self._next = 0
        self._news = asyncio.Event()

    async def open(self, gate: asyncio.Semaphore) -> None:
        """Open the socket."""
        async with gate:
            self.socket: ClientConnection = await connect(
                self.job["url"],
                origin=self.job["origin"],
                additional_headers={"Cookie": self.job["cookie"]},
                compression=None,
                ping_interval=None,
                max_size=None,
                open_timeout=60,
                proxy=None,
            )
        self._reader = asyncio.create_task(self._read())

    async def run(self) -> None:
        """Ask if there is something to ask, and return when the answer is over."""
        await asyncio.sleep(self.job.get("after", 0))
        if message := self.job.get("message"):
            self.sent = time.monotonic_ns()
            frame = {"message": message, "nonce": f"n{self.sent}", "HEADERS": {}}
            await self.socket.send(json.dumps(frame))
        if self.job.get("expects", bool(message)):
            await self.done.wait()
            await self._quiet()

    async def _quiet(self) -> None:
        with suppress(TimeoutError):
            while True:
                self._news.clear()
                await asyncio.wait_for(self._news.wait(), QUIET)

    async def ping(self) -> None:
        """Note how long the server takes to answer pings, until cancelled."""
        while True:
            started = time.monotonic()
            await (await self.socket.ping())
            self.pings.append(time.monotonic() - started)
            await asyncio.sleep(PING_EVERY)

    async def close(self) -> None:
        """Drop the socket without a farewell: nobody waits for 500 of them."""
        self.socket.transport.abort()
        await self._reader

    async def _read(self) -> None:
        try:
            while True:
                frame = str(await self.socket.recv())
                self._take(frame, time.monotonic_ns())
        except ConnectionClosed:
            pass

    def _take(self, frame: str, now: int) -> None:
        size = len(frame.encode())
        self._news.set()
        self.frames += 1
        self.bytes += size
        if "polly-hl-" in frame:
            self.coloured += size
        self._stamps(frame, now)
        if END in frame and not self.done.is_set():
            self.ended = now
            self.done.set()

    def _stamps(self, frame: str, now: int) -> None:
        # A frame may repeat tokens that have come before: those don't count again.
        start = frame.find(f"t{self._next}.")
        if start < 0:
            return
        for found in STAMP.finditer(frame, start):
            if int(found[1]) == self._next:
                self._next += 1
                self.last = (now - int(found[2])) / 1e9
                self.lags.append(self.last)
        if self.first is None and (arrival := ARRIVAL.search(frame)):
            on_the_way = (int(arrival[1]) - self.sent) / 1e9 if self.sent else 0
            self.first = on_the_way + self.lags[0]

    def seen(self) -> dict[str, Any]:
        """Return what was noted, as plain data."""
        return {
            "bytes": self.bytes,
            "coloured": self.coloured,
            "frames": self.frames,
            "seconds": (self.ended - self.sent) / 1e9 if self.ended else None,
            "first": self.first,
            "last": self.last,
            "lags": self.lags,
            "pings": self.pings,
        }


async def main() -> None:
    """Run the job."""
    jobs = json.loads(await _line())
    tabs = [Tab(job) for job in jobs]
    gate = asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(*(tab.open(gate) for tab in tabs))
    print("ready", flush=True)
    if not await _line():
        return  # They were only to be open for a while.
    pingers = [asyncio.create_task(tab.ping()) for tab in tabs if tab.job.get("pings")]
    await asyncio.gather(*(tab.run() for tab in tabs))
    for pinger in pingers:
        pinger.cancel()
    print(json.dumps([tab.seen() for tab in tabs]), flush=True)
    await _line()
    await asyncio.gather(*(tab.close() for tab in tabs))


async def _line() -> str:
    return await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main())
