"""Our own deadlines for an answer, and a loop that others can still use."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator

from polly_htmx.conf import conf
from polly_htmx.llm import exceptions
from polly_htmx.llm.alarm import Alarm
from polly_htmx.llm.messages import ProviderEvent, Waking

BREATH = 0.005
"""Seconds after which the event loop gets a turn: iterating pieces that have
already arrived never waits, and so would keep everybody else out."""


async def paced(
    source: AsyncGenerator[ProviderEvent], *, end: float
) -> AsyncGenerator[ProviderEvent]:
    """
    Pass on a provider's events, or raise TimedOut.

    ``end`` is the moment on the monotonic clock when the whole answer must be there.

    Providers' own timeouts count bytes, so a stream of empty pieces or comments
    would run for ever.
    """
    alarm = Alarm()
    breath = time.monotonic()
    patience, awaited = conf.FIRST_TOKEN_TIMEOUT, "first piece"
    gap = conf.GAP_TIMEOUT
    try:
        while True:
            now = time.monotonic()
            if now - breath > BREATH:
                await asyncio.sleep(0)
                breath = now
            if now + patience > end:
                patience, awaited = end - now, "end"
            event = await _within(alarm, patience, source, awaited)
            if event is None:
                return
            yield event
            if isinstance(event, Waking):
                continue  # No piece: loading counts to the wait for the first one.
            patience, awaited = gap, "next piece"
    finally:
        alarm.put_away()


async def _within(
    alarm: Alarm, seconds: float, source: AsyncGenerator[ProviderEvent], awaited: str
) -> ProviderEvent | None:
    # The flag instead of a raise inside the handler: what is raised there would
    # carry the provider's frames along.
    try:
        if seconds > 0:
            return await alarm.within(seconds, anext(source, None))
    except TimeoutError:
        pass
    raise exceptions.TimedOut(f"The {awaited} of the answer did not come in time.")
