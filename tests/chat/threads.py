"""The same work in several threads at once, as several people or tabs would do it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

from tests.patience import PATIENCE

T = TypeVar("T")


def at_once(works: Iterable[Callable[[], T]]) -> list[T | Exception]:
    """Start all at the same moment; return what each returned, or what it raised."""
    todo = list(works)
    barrier = Barrier(len(todo))

    def run(work: Callable[[], T]) -> T | Exception:
        barrier.wait(PATIENCE)
        try:
            return work()
        except Exception as exc:  # noqa: BLE001  (the test looks at it)
            return exc
        finally:
            connection.close()

    with ThreadPoolExecutor(len(todo)) as pool:
        return list(pool.map(run, todo, timeout=PATIENCE))
