"""Pace: when a running reply may send its next frame."""

from __future__ import annotations

from polly_htmx.conf import conf
from polly_htmx.llm import gathering

FREE_BYTES = 4 * 1024
"""Short answers flow at full rate: this much is sent before the budget counts."""
BYTES_PER_CHAR = 9
"""The open block is sent again and again until it is closed, so a frame waits until
this many bytes per character received pay for it: the cost stays linear."""
ENVELOPE = 160
"""Bytes that a frame has around its text."""
SECONDS_PER_RUN = gathering.SECONDS_PER_ANSWER
"""Many replies at once share the time by fewer, fuller frames: a frame costs a process
about a sixth of this, and it has other things to do."""
SECONDS_PER_FOLLOWER = 0.003
"""And what one frame costs for each socket that it is sent to."""
SHARED_INTERVAL = gathering.LONGEST
"""The longest interval that this alone leads to. Both are those at which the pieces of
answers are read: were they others, text would wait twice."""
MAX_INTERVAL = 0.5
"""The longest interval, where the event loop is late as well."""
EARLY = 0.4
"""The share of an interval by which a frame may come too early: pieces that are read at
nearly the same intervals would otherwise wait once more."""


class Pace:
    """Keeps one reply's frames apart in time, and their bytes within a budget."""

    def __init__(self) -> None:
        self._last = 0.0
        self._lag = 0.0
        self._sent = 0

    def rest(self, now: float, running: int = 1, followers: int = 1) -> float:
        """
        Return the seconds until a frame may follow.

        ``now`` is a monotonic time, ``running`` the number of replies that this
        process writes at the moment, ``followers`` that of this reply's sockets.
        """
        wanted = running * SECONDS_PER_RUN + followers * SECONDS_PER_FOLLOWER
        shared = min(wanted, SHARED_INTERVAL)
        interval = max(conf.FLUSH_INTERVAL, shared) + self._lag
        interval = min(interval, MAX_INTERVAL)
        left = self._last + interval - now
        return left if left > interval * EARLY else 0.0

    def woke(self, late: float) -> None:
        """Count that the event loop came back later than asked, by so many seconds."""
        self._lag = (self._lag + max(0.0, late)) / 2

    def affords(self, chars: int) -> bool:
        """Tell whether an answer of so many characters has paid for another frame."""
        return self._sent < FREE_BYTES + BYTES_PER_CHAR * chars

    def sent(self, now: float, size: int) -> None:
        """Count a frame with so many bytes of text."""
        self._last = now
        self._sent += size + ENVELOPE
