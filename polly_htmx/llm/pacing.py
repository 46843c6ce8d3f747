"""Our own deadlines for an answer, and a loop that others can still use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from polly_htmx.conf import conf
from polly_htmx.llm import exceptions
from polly_htmx.llm.messages import ProviderEvent

BREATH = 0.005
"""Seconds after which the event loop gets a turn: iterating pieces that have
already arrived never waits, and so would keep everybody else out."""


async def paced(
    source: AsyncGenerator[ProviderEvent],
) -> AsyncGenerator[ProviderEvent]:
    """
    Pass on a provider's events, or raise TimedOut.

    Providers' own timeouts count bytes, so a stream of empty pieces or comments
    would run for ever.
    """
    loop = asyncio.get_running_loop()
    breath = loop.time()
    end = breath + conf.REPLY_MAX_SECONDS
    patience, awaited = conf.FIRST_TOKEN_TIMEOUT, "first piece"
    while True:
        now = loop.time()
        if now - breath > BREATH:
            await asyncio.sleep(0)
            breath = now
        if now + patience > end:
            patience, awaited = end - now, "end"
        event = await _within(patience, source, awaited)
        if event is None:
            return
        yield event
        patience, awaited = conf.GAP_TIMEOUT, "next piece"


async def _within(
    seconds: float, source: AsyncGenerator[ProviderEvent], awaited: str
) -> ProviderEvent | None:
    # The flag instead of a raise inside the handler: what is raised there would
    # carry the provider's frames along.
    try:
        if seconds > 0:
            async with asyncio.timeout(seconds):
                return await anext(source, None)
    except TimeoutError:
        pass
    raise exceptions.TimedOut(f"The {awaited} of the answer did not come in time.")
