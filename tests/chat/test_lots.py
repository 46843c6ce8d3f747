"""Lots: many ask, one goes to the database; and each gets what is meant for it."""

from __future__ import annotations

import asyncio
import threading

import pytest

from polly_htmx.chat.lots import Lots
from tests.patience import PATIENCE

# What is tidied up in the thread is the database's connection.
pytestmark = pytest.mark.django_db(transaction=True)


class Doubling:
    """Work that writes down in which lots it was asked."""

    def __init__(self) -> None:
        self.lots: list[list[int]] = []

    def __call__(self, asked: list[int]) -> list[int | Exception | None]:
        self.lots.append(asked)
        return [2 * each for each in asked]


async def all_of(lots: Lots[int, int], asked: list[int]) -> list[int | BaseException]:
    async with asyncio.timeout(PATIENCE):
        questions = [lots.ask(each) for each in asked]
        return await asyncio.gather(*questions, return_exceptions=True)


async def test_all_who_ask_in_one_moment_are_answered_at_once() -> None:
    work = Doubling()
    lots = Lots[int, int](work)
    assert await all_of(lots, [1, 2, 3]) == [2, 4, 6]
    assert await all_of(lots, [4, 5]) == [8, 10]
    assert work.lots == [[1, 2, 3], [4, 5]]


async def test_who_comes_during_the_work_is_in_the_next_lot() -> None:
    begun, may_end = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    class Slow(Doubling):
        def __call__(self, asked: list[int]) -> list[int | Exception | None]:
            loop.call_soon_threadsafe(begun.set)
            may_end.wait(PATIENCE)
            return super().__call__(asked)

    work = Slow()
    lots = Lots[int, int](work)
    async with asyncio.timeout(PATIENCE):
        first = asyncio.create_task(lots.ask(1))
        await begun.wait()
        late = asyncio.create_task(lots.ask(9))
        await asyncio.sleep(0)
        may_end.set()
        assert (await first, await late) == (2, 18)
    assert work.lots == [[1], [9]]


async def test_what_is_left_for_later_is_asked_again_first() -> None:
    class OneByOne(Doubling):
        def __call__(self, asked: list[int]) -> list[int | Exception | None]:
            return [*super().__call__(asked)[:1], *[None] * (len(asked) - 1)]

    work = OneByOne()
    assert await all_of(Lots(work), [1, 2, 3]) == [2, 4, 6]
    assert work.lots == [[1, 2, 3], [2, 3], [3]]


async def test_fault_of_one_is_its_own_and_what_the_work_raises_is_everybodys() -> None:
    class Odd(Doubling):
        def __call__(self, asked: list[int]) -> list[int | Exception | None]:
            if 0 in asked:
                raise OSError("all")
            found = super().__call__(asked)
            return [ValueError("one") if each == 2 else each for each in found]

    lots = Lots[int, int](Odd())
    fault, answer = await all_of(lots, [1, 2])
    assert isinstance(fault, ValueError)
    assert answer == 4
    assert [type(each) for each in await all_of(lots, [0, 2])] == [OSError] * 2
    assert await all_of(lots, [2]) == [4]


async def test_one_that_goes_away_takes_nothing_from_the_others() -> None:
    lots = Lots[int, int](Doubling())
    first, second = (asyncio.create_task(lots.ask(each)) for each in (1, 2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait({first})
    assert first.cancelled()
    async with asyncio.timeout(PATIENCE):
        assert await second == 4


def test_each_loop_has_its_own() -> None:
    lots = Lots[int, int](Doubling())
    for _loop in range(2):
        assert asyncio.run(all_of(lots, [1])) == [2]
