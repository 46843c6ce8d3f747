"""Gathering: lets what providers send at once come together before it is read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

FEW = 2
"""So many answers at once are read as they come: there is time for each token."""
SECONDS_PER_ANSWER = 0.004
"""By so much each answer more makes all of them rest longer. A wake-up costs about as
much as a token itself, and pages are told no more often than this."""
LONGEST = 0.1
"""Seconds of the longest rest; nobody sees the difference."""
AT_ONCE = 3
"""Reads of an answer before it rests: somebody looks out for its first words."""
MUCH = 16 * 1024
"""After so many bytes in one read there is no rest: who sends as fast as that would be
held up by it."""

being_read: set[Gathering] = set()
"""The answers that are read at the moment, in all threads."""


class Gathering:
    """
    The bytes of a connection, taken at intervals while several answers are read.

    It lies under the encryption, where a read means that nothing more is at hand. What
    arrives meanwhile is kept by the system, which wakes nobody up for it.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.reads = 0
        """How often something was waited for."""
        self._due = 0.0

    def __getattr__(self, name: str) -> Any:
        """Be the stream in all but this."""
        return getattr(self._stream, name)

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """See anyio's ByteReceiveStream."""
        self.reads += 1
        wait = self._due - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        piece: bytes = await self._stream.receive(max_bytes)
        if self.reads >= AT_ONCE and len(piece) < MUCH:
            self._due = time.monotonic() + rest()
        return piece


def rest() -> float:
    """Return the seconds between two reads of one answer."""
    answers = len(being_read)
    return min(answers * SECONDS_PER_ANSWER, LONGEST) if answers > FEW else 0.0


@contextmanager
def gathered(response: httpx.Response) -> Iterator[None]:
    """
    Read a response's body at intervals in here.

    Neither httpx nor httpcore has a public way to the stream of a connection. Where it
    does not lie where it used to, the body is read as it comes, at more cost.
    """
    holder, name = _place(response)
    stream = getattr(holder, name, None)
    if not hasattr(stream, "receive"):
        yield
        return
    gathering = Gathering(stream)
    setattr(holder, name, gathering)
    being_read.add(gathering)
    try:
        yield
    finally:
        being_read.discard(gathering)
        setattr(holder, name, stream)


def _place(response: httpx.Response) -> tuple[Any, str]:
    """Return what holds the stream that lies under all encryption, and by what name."""
    holder, name = response.extensions.get("network_stream"), "_stream"
    while hasattr(inner := getattr(holder, name, None), "transport_stream"):
        holder, name = inner, "transport_stream"
    return holder, name
