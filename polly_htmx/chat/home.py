"""Home: the event loop that serves sockets in this process, and what runs on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")
Work = Callable[[], Coroutine[Any, Any, None]]


class _Home:
    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self.last: asyncio.Task[None] | None = None


_home = _Home()


def adopt() -> bool:
    """Make the running loop this process's home; tell whether it was not so before."""
    loop = asyncio.get_running_loop()
    if _home.loop is loop:
        return False
    _home.loop, _home.tasks = loop, set()
    return True


def is_here() -> bool:
    """Tell whether the running loop is this process's home."""
    return _home.loop is asyncio.get_running_loop()


def is_open() -> bool:
    """Tell whether a loop serves sockets in this process; from any thread."""
    return _home.loop is not None and _home.loop.is_running()


def has_ended() -> bool:
    """Tell whether a loop served sockets in this process, and has stopped for good."""
    loop = _home.loop
    # Servers leave theirs as it is; one that is closed was a test's or a command's, and
    # another one may follow it.
    return loop is not None and not (loop.is_running() or loop.is_closed())


def spawn(work: Work) -> bool:
    """
    Start some work on the home loop; may be called from any thread.

    Never waits: a thread that waited for the loop would stand still for ever if the
    loop ended meanwhile. Returns False where no loop serves sockets (a shell, a
    command, plain WSGI), and then nothing was started.
    """
    loop = _home.loop
    if loop is None or not loop.is_running():
        return False
    # An empty context: the caller's would tie the work's use of the database to the
    # caller's thread, which may be gone by then, and to the caller's language.
    loop.call_soon_threadsafe(_start, work, context=Context())
    return True


def outside(work: Work) -> bool:
    """
    Start some work on the home loop that aclose() does not end; see spawn().

    May be called by a signal's handler.
    """
    loop = _home.loop
    if loop is None or not loop.is_running():
        return False
    loop.call_soon_threadsafe(_start_outside, work, context=Context())
    return True


async def aclose() -> None:
    """End all that runs at home, and wait for it; each task saves what it has."""
    while tasks := [*_home.tasks]:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    _home.loop = None


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """
    Await some work to its end; a cancellation meanwhile counts after it.

    For what must be saved, and for work in threads: cancelling those only stops the
    waiting, and the thread goes on with nobody to answer to.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as exc:
            cancelled = exc
    if cancelled is not None:
        raise cancelled
    return task.result()


def _start(work: Work) -> None:
    task = asyncio.get_running_loop().create_task(work())
    # The loop itself holds tasks weakly: without this set one could vanish.
    _home.tasks.add(task)
    task.add_done_callback(_home.tasks.discard)


def _start_outside(work: Work) -> None:
    _home.last = asyncio.get_running_loop().create_task(work())
