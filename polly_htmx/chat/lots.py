"""Lots: what many ask of the database in one moment goes there in one change of threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from polly_htmx.chat.database import in_database

A = TypeVar("A")
R = TypeVar("R")


class _Lot(Generic[A, R]):
    """What waits on one event loop, and the task that takes it there."""

    def __init__(self) -> None:
        self.waiting: list[tuple[A, asyncio.Future[R]]] = []
        self.task: asyncio.Task[None] | None = None


class Lots(Generic[A, R]):
    """
    Some work in the database, done for all that ask in one moment.

    ``work`` gets what was asked, and returns for each the answer, an exception for the
    one who asked, or None for what it is asked again at once, after what others want
    of the database. What it raises reaches all. ``gather`` are the seconds that the
    first waits for others.
    """

    def __init__(
        self,
        work: Callable[[list[A]], Sequence[R | Exception | None]],
        gather: float = 0,
    ) -> None:
        self._work = work
        self._gather = gather
        self._lots: WeakKeyDictionary[asyncio.AbstractEventLoop, _Lot[A, R]]
        self._lots = WeakKeyDictionary()

    async def ask(self, asked: A) -> R:
        """Return the answer. Who goes away meanwhile takes the work from nobody."""
        loop = asyncio.get_running_loop()
        lot = self._lots.setdefault(loop, _Lot())
        future: asyncio.Future[R] = loop.create_future()
        lot.waiting.append((asked, future))
        if lot.task is None or lot.task.done():
            lot.task = loop.create_task(self._go(lot))
        return await future

    async def _go(self, lot: _Lot[A, R]) -> None:
        await asyncio.sleep(self._gather)
        while lot.waiting:
            taken, lot.waiting = lot.waiting, []
            answers: Sequence[R | Exception | None]
            try:
                answers = await in_database(self._work)([asked for asked, _ in taken])
            except Exception as exc:  # noqa: BLE001  (each waits for it, and says so)
                answers = [exc] * len(taken)
            pairs = [*zip(taken, answers, strict=True)]
            lot.waiting[:0] = [each for each, answer in pairs if answer is None]
            for (_asked, future), answer in pairs:
                if answer is not None:
                    _tell(future, answer)


def _tell(future: asyncio.Future[R], answer: R | Exception) -> None:
    if future.done():
        return  # Whoever asked has gone meanwhile.
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
