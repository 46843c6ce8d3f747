"""Thoughts and waking in several processes: all pages see them, and end alike."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.line import Line
from tests.live import Site, scripted
from tests.rows import Person, PostgresRows
from tests.services import Redis
from tests.survival.conftest import eventually, polly, reply_of

pytestmark = pytest.mark.live

PATIENCE = 60
THOUGHTS = [f"thought{number} " for number in range(400)]
SCRIPT = scripted(waking=2, reasoning=THOUGHTS, text="An answer. " * 40, pace=0.005)


@pytest.fixture(scope="module")
def sites(rows: PostgresRows, redis: Redis) -> Iterator[list[Site]]:
    """Return two web processes that write replies themselves."""
    settings = polly(**SCRIPT)
    with (
        Site(polly=settings, rows=rows, layer=redis.layer) as one,
        Site(polly=settings, rows=rows, layer=redis.layer) as two,
    ):
        yield [one, two]


async def test_tabs_in_two_processes_see_it_wake_think_and_answer(
    sites: list[Site], people: Iterator[Person]
) -> None:
    person = next(people)
    chat = person.conversations[0]
    async with (
        Line(sites[0], chat, person.cookie) as one,
        Line(sites[1], chat, person.cookie) as two,
    ):
        await one.send("Hello")
        await two.until_shown("Waking up the model…", patience=PATIENCE)
        async with Line(sites[1], chat, person.cookie) as late:
            await late.until_shown("Waking up the model…", patience=PATIENCE)
            await two.until_shown("thought10 ", patience=PATIENCE)
            assert "Waking" not in two.log
            assert "thought399 " not in two.log, "It came at once."
            one.cut()
            await one.closed.wait()
            await one.connect()
            for line in (one, two, late):
                await line.until_settled(PATIENCE)
                await line.assert_equals_fresh()
                assert "".join(THOUGHTS) in line.log


async def test_death_while_it_thinks_leaves_the_thoughts(
    sites: list[Site], people: Iterator[Person], rows: PostgresRows
) -> None:
    person = next(people)
    chat = person.conversations[0]
    async with Line(sites[1], chat, person.cookie) as two:
        async with Line(sites[0], chat, person.cookie) as one:
            await one.send("Hello")
            await two.until_shown("thought50 ", patience=PATIENCE)
        eventually(lambda: reply_of(rows, chat)["reasoning"], "A checkpoint")
        sites[0].kill()
        try:
            await two.until_settled(PATIENCE)
            await two.assert_equals_fresh()
        finally:
            await asyncio.to_thread(sites[0].start)
    reply = reply_of(rows, chat)
    assert (reply["status"], reply["content"]) == ("interrupted", "")
    assert reply["reasoning"].startswith("thought0 thought1 ")
