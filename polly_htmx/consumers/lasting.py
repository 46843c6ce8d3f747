"""Lasting work: what a site's own code may hold up goes beside what must not wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

GOODBYE = 8.0
"""Seconds that is waited for such work when its socket has gone: a message that was on
its way is stored all the same. Less than servers wait for us."""


async def after(
    before: asyncio.Task[None] | None, work: Callable[[], Awaitable[None]]
) -> None:
    """Do some work once the work before it is done, however that went."""
    if before is not None:
        await asyncio.wait({before})
    await work()


async def over(last: asyncio.Task[None] | None) -> None:
    """Return when all is done up to this task, or has had its time."""
    if last is not None:
        await asyncio.wait({last}, timeout=GOODBYE)
        last.cancel()
