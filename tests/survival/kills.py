"""Kills: processes that die without a word at random moments, and come back."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping

from tests.programs import Program

ALIVE = (3.0, 6.0)
"""Seconds from one that is back to the next that dies."""
DEAD = (0.0, 0.5)
"""Seconds until the dead one is started again."""


async def kill_now_and_then(
    victims: Mapping[str, Program],
    deaths: Counter[str],
    chance: random.Random,
    is_over: Callable[[], bool],
) -> None:
    """Kill one process after the other until it is over; count how often each died."""
    while True:
        await asyncio.sleep(chance.uniform(*ALIVE))  # The moment is what it is about.
        if is_over():
            return
        name = _next(victims, deaths, chance)
        deaths[name] += 1
        await asyncio.to_thread(victims[name].kill)
        await asyncio.sleep(chance.uniform(*DEAD))
        await asyncio.to_thread(victims[name].start)


def _next(
    victims: Mapping[str, Program], deaths: Counter[str], chance: random.Random
) -> str:
    """Return one of those that have died least, so that each has its turn."""
    fewest = min(deaths[name] for name in victims)
    return chance.choice([name for name in victims if deaths[name] == fewest])
