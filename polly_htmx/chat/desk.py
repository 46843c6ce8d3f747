"""Desk: the replies that this process writes, and what others want of them."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Run(Protocol):
    """A reply while it is written."""

    def stop(self) -> None: ...
    def ask(self, channel: str) -> None: ...
    def interrupt(self) -> None: ...
    @property
    def over(self) -> asyncio.Future[None]: ...


_runs: dict[int, Run] = {}


def running() -> int:
    """Return how many replies this process writes at the moment."""
    return len(_runs)


def keys() -> list[int]:
    """Return the replies that this process writes at the moment; from any thread."""
    return [*_runs]


def enter(reply_id: int, run: Run) -> None:
    """Put a run on the desk; it hears from now on what others want of it."""
    _runs[reply_id] = run


def leave(reply_id: int) -> None:
    """Take a run off the desk."""
    _runs.pop(reply_id, None)


def text_of(reply_id: int) -> str | None:
    """Return what a reply says so far, if it is on this desk."""
    return getattr(_runs.get(reply_id), "text", None)


def handle(message: dict[str, object]) -> bool:
    """
    Pass a message of another process, or of this one, to the run it is for.

    Returns whether it is on this desk.
    """
    run = _runs.get(int(str(message.get("reply_id", 0))))
    if run is None:
        return False
    if message["type"] == "polly.stop":
        run.stop()
    elif message["type"] == "polly.ask":
        run.ask(str(message["channel"]))
    return True


async def clear(grace: float) -> None:
    """Give the runs some seconds to end, then interrupt what is left; wait for all."""
    if waiting := [run.over for run in _runs.values()]:
        await asyncio.wait(waiting, timeout=grace)
    for run in [*_runs.values()]:
        run.interrupt()
    if waiting := [run.over for run in _runs.values()]:
        await asyncio.wait(waiting)
