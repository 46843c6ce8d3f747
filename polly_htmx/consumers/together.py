"""Together: what many sockets of a process want in one moment is done once for all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")
KEPT = 32
"""Results of make() that are kept for the other followers: they come at once."""

_under_way: dict[Hashable, asyncio.Task[Any]] = {}
_made: dict[Hashable, Any] = {}


async def together(key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
    """
    Return what the work under this key returns; who comes meanwhile waits for it too.

    Nothing is kept: who comes later has it done again. Raises what the work raises.
    """
    key = asyncio.get_running_loop(), key
    task = _under_way.get(key)
    if task is None:
        task = _under_way[key] = asyncio.ensure_future(_do(work))
        task.add_done_callback(partial(_forget, key))
    # One who goes away meanwhile takes the work from nobody.
    found: T = await asyncio.shield(task)
    return found


def made(key: Hashable, make: Callable[[], T]) -> T:
    """Return what is made of this key, which says all that matters for it."""
    if key not in _made:
        if len(_made) >= KEPT:
            del _made[next(iter(_made))]
        _made[key] = make()
    found: T = _made[key]
    return found


async def _do(work: Callable[[], Awaitable[T]]) -> T:
    return await work()


def _forget(key: Hashable, task: asyncio.Task[Any]) -> None:
    del _under_way[key]
    if not task.cancelled():
        task.exception()  # All who waited may be gone, and nobody else asks for it.
