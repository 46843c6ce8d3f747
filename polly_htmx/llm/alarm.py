"""An alarm: ends a wait that takes too long, by one timer for many waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Any, TypeVar, cast

T = TypeVar("T")

NEAR = 0.001
"""Seconds by which a timer may come too early: clocks tick."""


class Alarm:
    """
    Time limits for waits that follow each other, as those for an answer's pieces.

    asyncio.timeout() sets a timer for each wait, and takes it back when the piece is
    there, which costs more than the wait itself. Here the timer stays. It finds out when
    it rings whether what is waited for then is late, and goes on to sleep if not.
    """

    def __init__(self) -> None:
        self._due = 0.0
        self._waits: asyncio.Task[Any] | None = None
        self._rang = False
        self._timer: asyncio.TimerHandle | None = None
        self._rings = 0.0

    async def within(self, seconds: float, wanted: Awaitable[T]) -> T:
        """Return what is waited for; raise TimeoutError after so many seconds."""
        self._due = time.monotonic() + seconds
        if self._timer is None or self._rings > self._due:
            self._wind(seconds)
        # Whoever awaits is a task.
        self._waits = task = cast("asyncio.Task[Any]", asyncio.current_task())
        cancelling = task.cancelling()
        is_late = False
        try:
            return await wanted
        except asyncio.CancelledError:
            is_late = self._rang
            if not is_late:
                raise
        finally:
            self._waits = None
            if self._rang:
                self._rang = False
                # Somebody else may have cancelled us in the same moment: it counts.
                is_late = task.uncancel() <= cancelling and is_late
        if not is_late:
            raise asyncio.CancelledError
        raise TimeoutError

    def put_away(self) -> None:
        """Let go of the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wind(self, seconds: float) -> None:
        self.put_away()
        self._rings = time.monotonic() + seconds
        self._timer = asyncio.get_running_loop().call_later(seconds, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._waits is None:
            return  # The next wait sets it anew.
        left = self._due - time.monotonic()
        if left > NEAR:
            self._wind(left)
        else:
            self._rang = True
            self._waits.cancel()
