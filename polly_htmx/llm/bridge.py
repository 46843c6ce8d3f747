"""Runs the async code for sync callers, on one background event loop a process."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar

from django.utils.asyncio import async_unsafe

P = ParamSpec("P")
T = TypeVar("T")

_END = object()


class _Loop:
    """An event loop in a daemon thread, begun when it is first needed."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        with self.lock:
            if self.loop is None:
                self.loop = asyncio.new_event_loop()
                self.thread = threading.Thread(
                    target=self.loop.run_forever, name="polly-llm", daemon=True
                )
                self.thread.start()
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def is_this_thread(self) -> bool:
        return threading.current_thread() is self.thread


_background = _Loop()


@async_unsafe("Use the methods with an a in front, such as asend_message().")
def run(
    function: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Run a coroutine function on the background loop and return its result."""
    future = _background.submit(function(*args, **kwargs))
    try:
        return future.result()
    finally:
        # Does something only when the wait itself was interrupted (Ctrl-C).
        future.cancel()


def iterate(source: AsyncGenerator[T]) -> Generator[T]:
    """Iterate an async generator on the background loop."""
    try:
        while (item := run(_next, source)) is not _END:
            yield item  # type: ignore[misc]
    finally:
        closing = _background.submit(_close(source))
        # A forgotten generator may be collected on the background thread, which
        # can't wait for itself.
        if not _background.is_this_thread():
            closing.result()


async def _next(source: AsyncGenerator[T]) -> T | object:
    return await anext(source, _END)


async def _close(source: AsyncGenerator[T]) -> None:
    await source.aclose()


def _forget() -> None:
    # A forked child has the loop's memory but not its thread.
    global _background  # noqa: PLW0603
    _background = _Loop()


if hasattr(os, "register_at_fork"):  # pragma: no branch
    os.register_at_fork(after_in_child=_forget)
