"""Pace: when a running reply may send its next frame."""

from __future__ import annotations

from polly_htmx.conf import conf

FREE_BYTES = 64 * 1024
"""Short answers flow at full rate: this much is sent before the budget counts."""
BYTES_PER_CHAR = 10
"""Each frame carries the whole answer so far, so a frame waits until this many
bytes per character received pay for it: the cost stays linear in the answer."""


class Pace:
    """Keeps one reply's frames apart in time, and their bytes within a budget."""

    def __init__(self) -> None:
        self._last = 0.0
        self._sent = 0

    def rest(self, now: float) -> float:
        """Return the seconds until a frame may follow; ``now`` is a monotonic time."""
        return max(0.0, self._last + conf.FLUSH_INTERVAL - now)

    def affords(self, chars: int) -> bool:
        """Tell whether an answer of so many characters has paid for another frame."""
        return self._sent < FREE_BYTES + BYTES_PER_CHAR * chars

    def sent(self, now: float, size: int) -> None:
        """Count a frame of so many bytes."""
        self._last = now
        self._sent += size
