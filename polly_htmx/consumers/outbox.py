"""Outbox: how far a page is behind what its socket was sent."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

SLOW_BYTES = 256 * 1024
SLOW_SECONDS = 10.0
DEAD_BYTES = 2 * 1024 * 1024
MAX_MARKS = 256
"""Marks that are remembered; more are thinned out, so that memory has a bound."""


class _Mark(NamedTuple):
    frames: int
    """Frames sent so far, this one among them."""
    total: int
    """Their bytes."""
    at: float
    """When the first frame since the mark before was sent."""


class Outbox:
    """
    The frames that a page has been sent and not yet acknowledged.

    The server under us takes whatever it is given and tells nobody what is unread,
    so the page says about once a second how many frames it has got. Times are those
    of one steady clock, in seconds; no clock is read here.
    """

    __slots__ = ("_count", "_heard", "_marks", "_now", "_seen_total", "_total")

    def __init__(self) -> None:
        self._count = 0
        self._total = 0
        self._seen_total = 0
        self._heard = False
        self._now = 0.0
        # A list, for an empty deque takes ten times as much, and most are idle.
        self._marks: list[_Mark] = []

    def sent(self, size: int, now: float) -> None:
        """Take note of a frame of ``size`` bytes."""
        self._count += 1
        self._total += size
        self._now = now
        self._marks.append(_Mark(self._count, self._total, now))
        if len(self._marks) > MAX_MARKS:
            self._thin_out()

    def seen(self, count: int, now: float) -> None:
        """
        Take note that the page has got the first ``count`` frames.

        A number that is too high counts as all of them: to lie about what it has
        got only brings a page what it can't take.
        """
        self._heard = True
        self._now = now
        got = bisect_right(self._marks, count, key=lambda mark: mark.frames)
        if got:
            self._seen_total = self._marks[got - 1].total
            del self._marks[:got]

    @property
    def behind(self) -> int:
        """How many bytes were sent and not acknowledged."""
        return self._total - self._seen_total

    @property
    def is_slow(self) -> bool:
        """
        Whether the page had better get no more pieces for now.

        Once true it stays so until the page acknowledges something. Never true for
        a page that acknowledges nothing at all: that may be a program of its own.
        """
        if not self._heard or not self._marks:
            return False
        return self._is_late or self.behind > SLOW_BYTES

    @property
    def is_dead(self) -> bool:
        """
        Whether so much is unread that the socket must be closed.

        A page that does acknowledge has its time for that: a very long answer that is
        shown to it anew may be longer than this in itself.
        """
        return self.behind > DEAD_BYTES and (self._is_late or not self._heard)

    @property
    def _is_late(self) -> bool:
        return bool(self._marks) and self._now - self._marks[0].at > SLOW_SECONDS

    def _thin_out(self) -> None:
        """Join the marks in pairs: the later one's frames, the earlier one's time."""
        marks = self._marks
        self._marks = [
            _Mark(later.frames, later.total, earlier.at)
            for earlier, later in zip(marks[::2], marks[1::2], strict=False)
        ]
        if len(marks) % 2:
            self._marks.append(marks[-1])
