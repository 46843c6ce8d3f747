"""The watch: goes round the open sockets of this process and has each look again."""

from __future__ import annotations

import asyncio
import logging
import random
import time
import weakref
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol

from polly_htmx.chat import home, sockets
from polly_htmx.chat.database import in_database

logger = logging.getLogger(__name__)

ROUND = 4.0
"""Seconds between two times that a socket asks whether its person may still be here:
whoever signs out loses the open sockets within five."""
POLL = 1.0
"""Seconds between two times that a socket may look for what it has not heard of."""
RENEW = 5.0
"""Seconds between two signs of life of this process's count of sockets."""
TICK = 0.25


class Watched(Protocol):
    """A socket that can be asked to look again."""

    key: str

    @property
    def waits(self) -> bool:
        """Whether it should have heard something by now."""

    async def recheck(self) -> None: ...
    async def poll(self) -> None: ...


class _Watch:
    """The sockets of one event loop, with when each is due."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        # Weakly: a server may end a consumer without telling it.
        self.due: weakref.WeakKeyDictionary[Watched, float]
        self.busy: weakref.WeakSet[Any]
        self.clear()

    def clear(self) -> None:
        """Forget all sockets."""
        self.due, self.busy = weakref.WeakKeyDictionary(), weakref.WeakSet()


_watch = _Watch()


def join(consumer: Watched, beside: str = "") -> None:
    """
    Have a socket asked every few seconds from now on, until it leaves.

    To be called on the loop that serves sockets. The first time comes at random, so
    that pages which all come back at once, as after a restart, do not stay in step. Only
    those that name the same to be asked ``beside`` are, for they share the answer.
    """
    loop = asyncio.get_running_loop()
    if _watch.loop is not loop:
        _watch.clear()  # Whoever is left belongs to a loop that has ended.
        _watch.loop = loop if home.spawn(_go_round) else None
    now = time.monotonic()
    if beside:
        # The next time that the round comes to its place, the same for all of them.
        place = hash(beside) % 1_000 / 1_000
        _watch.due[consumer] = now + (place * ROUND - now) % ROUND
    else:
        _watch.due[consumer] = now + ROUND * random.random()  # noqa: S311


def leave(consumer: Any) -> None:
    """Ask a socket no more; harmless for one that has not joined."""
    _watch.due.pop(consumer, None)


async def _go_round() -> None:
    poll = renew = time.monotonic()
    try:
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            _start_due(now)
            if now - poll >= POLL:
                poll = now
                for consumer in [*_watch.due]:
                    if consumer.waits:
                        _start(consumer, consumer.poll)
            if now - renew >= RENEW and _watch.due:
                renew = now
                home.spawn(partial(_try, "sockets", _renew))
    finally:
        _watch.loop = None


def _start_due(now: float) -> None:
    for consumer, due in [*_watch.due.items()]:
        if due <= now and _start(consumer, consumer.recheck):
            _watch.due[consumer] = due + max(ROUND, now - due)


def _start(consumer: Watched, look: Callable[[], Awaitable[None]]) -> bool:
    """
    Let a socket look, unless it is still at it from the last time.

    Each in a task of its own: one that hangs holds up no other.
    """
    if consumer in _watch.busy:
        return False
    _watch.busy.add(consumer)

    async def work() -> None:
        try:
            await _try(consumer.key, look)
        finally:
            _watch.busy.discard(consumer)

    return home.spawn(work)


async def _try(name: str, look: Callable[[], Awaitable[None]]) -> None:
    try:
        await look()
    except Exception as exc:  # noqa: BLE001  (a host's own hooks may raise anything)
        # Only the kind: a foreign text may hold anything.
        logger.warning(
            "watch failed conversation=%s fault=%s", name, type(exc).__name__
        )


async def _renew() -> None:
    await home.to_the_end(in_database(sockets.renew)())
