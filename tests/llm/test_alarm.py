"""The alarm: ends waits that take too long, and harms nobody else's cancellation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from polly_htmx.llm.alarm import Alarm
from tests.patience import PATIENCE

SOON = 0.02


@pytest.fixture
async def alarm() -> AsyncIterator[Alarm]:
    made = Alarm()
    yield made
    made.put_away()


async def piece(seconds: float = 0.0) -> str:
    await asyncio.sleep(seconds)
    return "piece"


async def there() -> str:
    """Be there at once, however slow the machine is."""
    return "piece"


async def never() -> None:
    await asyncio.Event().wait()


async def test_what_comes_in_time_is_returned(alarm: Alarm) -> None:
    assert await alarm.within(PATIENCE, piece()) == "piece"


async def test_what_is_late_ends_the_wait_alone(alarm: Alarm) -> None:
    with pytest.raises(TimeoutError):
        await alarm.within(SOON, never())
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    assert await alarm.within(PATIENCE, piece()) == "piece"
    with pytest.raises(TimeoutError):
        await alarm.within(SOON, never())


async def test_nearer_limit_counts_after_a_farther_one(alarm: Alarm) -> None:
    await alarm.within(10 * PATIENCE, piece())
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(TimeoutError):
            await alarm.within(SOON, never())


async def test_each_wait_has_its_time_anew(alarm: Alarm) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < 3 * SOON:
        await alarm.within(PATIENCE, piece())
    with pytest.raises(TimeoutError):
        await alarm.within(SOON, never())
    assert time.monotonic() - begun >= 4 * SOON - 0.002


async def test_wait_outlives_the_ring_of_an_earlier_one(alarm: Alarm) -> None:
    await alarm.within(SOON, there())
    assert await alarm.within(PATIENCE, piece(5 * SOON)) == "piece"


async def test_rings_for_nobody_between_two_waits(alarm: Alarm) -> None:
    await alarm.within(SOON, there())
    await asyncio.sleep(3 * SOON)
    assert await alarm.within(PATIENCE, piece()) == "piece"


async def test_many_waits_take_one_timer(
    alarm: Alarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, timers = asyncio.get_running_loop(), []
    set_timer = loop.call_later

    def call_later(*args: object, **kwargs: object) -> asyncio.TimerHandle:
        timers.append(args)
        return set_timer(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "call_later", call_later)
    for _ in range(100):
        await alarm.within(PATIENCE, asyncio.sleep(0))
    assert len(timers) == 1


async def test_cancellation_from_outside_is_one(alarm: Alarm) -> None:
    task = asyncio.create_task(alarm.within(PATIENCE, never()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cancellation_in_the_moment_of_the_ring_counts(alarm: Alarm) -> None:
    async def late() -> None:
        task = asyncio.current_task()
        assert task is not None
        time.sleep(2 * SOON)  # noqa: ASYNC251  (the timer is due now, but not heard)
        asyncio.get_running_loop().call_soon(task.cancel)
        await never()

    task = asyncio.create_task(alarm.within(SOON, late()))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_waits_may_be_of_several_tasks(alarm: Alarm) -> None:
    for _ in range(3):
        assert await asyncio.create_task(alarm.within(PATIENCE, piece())) == "piece"
    with pytest.raises(TimeoutError):
        await asyncio.create_task(alarm.within(SOON, never()))
