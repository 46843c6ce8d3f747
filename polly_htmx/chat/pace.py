"""Pace: when a running reply sends its next frame."""

from __future__ import annotations

from polly_htmx.conf import conf

FREE_BYTES = 64 * 1024
"""Short answers flow at full rate: this much is sent before the budget counts."""
BYTES_PER_CHAR = 10
"""Each frame carries the whole answer so far, so a frame waits until this many
bytes per character received pay for it: the cost stays linear in the answer."""


class Pace:
    """Decides for one reply when enough time and text have come for a frame."""

    def __init__(self) -> None:
        self._last = 0.0
        self._sent = 0
        self._shown = 0

    def is_due(self, now: float, chars: int) -> bool:
        """
        Tell whether the answer may be shown again.

        ``now`` is a monotonic time in seconds, ``chars`` the length of the answer.
        """
        if chars == self._shown or now - self._last < conf.FLUSH_INTERVAL:
            return False
        return self._sent < FREE_BYTES + BYTES_PER_CHAR * chars

    def sent(self, now: float, chars: int, size: int) -> None:
        """Count a frame of so many bytes that showed so many characters."""
        self._last, self._shown = now, chars
        self._sent += size
