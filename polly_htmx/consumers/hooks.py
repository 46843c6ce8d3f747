"""Call hooks that may be plain or async functions."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

from asgiref.sync import sync_to_async

T = TypeVar("T")
Hooked: TypeAlias = T | Awaitable[T]
"""What a hook returns: a plain function the thing itself, an async one a promise."""


async def call_hook(hook: Callable[..., Any], *args: Any) -> Any:
    """
    Return the hook's result; a plain function runs where the database may be used.

    Not by in_database(): that may close the connection, and a plain form's hooks
    run inside the form's transaction.
    """
    if inspect.iscoroutinefunction(hook):
        return await hook(*args)
    return await sync_to_async(hook)(*args)


async def call_hooks(*hooks: Callable[[], Any]) -> list[Any]:
    """Return the hooks' results; plain functions share one change of threads."""
    if any(map(inspect.iscoroutinefunction, hooks)):
        return [await call_hook(hook) for hook in hooks]
    return await sync_to_async(lambda: [hook() for hook in hooks])()
