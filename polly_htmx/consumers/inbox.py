"""The inbox: how much one socket may send."""

from __future__ import annotations

from polly_htmx.exceptions import TooManyFrames

BURST = 120
"""Frames that may come at once: a page sends one a second at the most, and a person
who types on a slow line some more when it is back."""
PER_SECOND = 5.0
LARGE = 16 * 1024
"""A frame counts once more for so many characters: one long paste may be refused
with a sentence, but nobody sends a hundred of them."""


class Inbox:
    """Counts the frames of one socket, as a bucket that empties with time."""

    __slots__ = ("_last", "_level")

    def __init__(self) -> None:
        self._level = 0.0
        self._last = 0.0

    def take(self, size: int, now: float) -> None:
        """
        Count a frame of so many characters; ``now`` is a monotonic time.

        Raises TooManyFrames.
        """
        self._level = max(0.0, self._level - (now - self._last) * PER_SECOND)
        self._level += 1 + size // LARGE
        self._last = now
        if self._level > BURST:
            raise TooManyFrames
