"""Gathering: lets what providers send at once come together before it is read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

GATHERING = "polly_gathering"
"""Where a response carries how its body is read."""

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
    """When one answer is read again, while several are."""

    def __init__(self) -> None:
        self.reads = 0
        """How often something was waited for."""
        self._due = 0.0

    async def wait(self, line: asyncio.BaseTransport | None) -> None:
        """Leave what comes by this line to the system until the next read is due."""
        self.reads += 1
        seconds = self._due - time.monotonic()
        if seconds <= 0 or self not in being_read:
            return
        if not isinstance(line, asyncio.ReadTransport):
            await asyncio.sleep(seconds)
            return
        # Else each token would wake up the loop.
        line.pause_reading()
        try:
            await asyncio.sleep(seconds)
        finally:
            line.resume_reading()
        # The loop reads in its next turn, behind whoever is in line already.
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    def count(self, size: int) -> None:
        """Count so many bytes that one read has brought."""
        if self.reads >= AT_ONCE and size < MUCH:
            self._due = time.monotonic() + rest()


def rest() -> float:
    """Return the seconds between two reads of one answer."""
    answers = len(being_read)
    return min(answers * SECONDS_PER_ANSWER, LONGEST) if answers > FEW else 0.0


@contextmanager
def gathered(response: httpx.Response) -> Iterator[None]:
    """Read a response's body at intervals in here, if it came by our own transport."""
    gathering = response.extensions.get(GATHERING)
    if gathering is None:
        yield
        return
    being_read.add(gathering)
    try:
        yield
    finally:
        being_read.discard(gathering)
