"""Services that go away in mid answer: it ends in the database, and pages follow."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.line import Line
from tests.live import Site, scripted
from tests.rows import Person, PostgresRows
from tests.services import Postgres, Redis
from tests.survival.conftest import LONG_ANSWER, polly, reply_of

pytestmark = pytest.mark.live

# The leases are the usual ones: nobody dies here.
SETTINGS = polly(**scripted(text=LONG_ANSWER, pace=0.01), REPLY_LEASE=20)


@pytest.fixture(params=["pub/sub", "lists"])
def sites(
    request: pytest.FixtureRequest, rows: PostgresRows, redis: Redis
) -> Iterator[list[Site]]:
    """Return two web processes on each of the layers that Redis offers."""
    layer = redis.layer if request.param == "pub/sub" else redis.core_layer
    with (
        Site(polly=SETTINGS, rows=rows, layer=layer) as one,
        Site(polly=SETTINGS, rows=rows, layer=layer) as two,
    ):
        yield [one, two]


async def test_redis_is_killed_and_comes_back(
    sites: list[Site], people: Iterator[Person], rows: PostgresRows, redis: Redis
) -> None:
    person = next(people)
    chat = person.conversations[0]
    async with (
        Line(sites[0], chat, person.cookie) as near,
        Line(sites[1], chat, person.cookie) as far,
    ):
        await near.send("Hello")
        await far.until_shown("word20")
        redis.kill()
        await asyncio.sleep(1)  # The answer goes on with nobody to carry it.
        redis.start()
        for line in (near, far):
            await _settled(line)
            await line.assert_equals_fresh(patience=15)
        reply = reply_of(rows, chat)
        assert (reply["status"], reply["content"]) == ("complete", LONG_ANSWER)
        # And all is as before: the next answer streams to both.
        await near.send("Again")
        await _shown_again(far)


async def test_answer_ends_without_a_layer(
    sites: list[Site], people: Iterator[Person], rows: PostgresRows, redis: Redis
) -> None:
    person = next(people)
    chat = person.conversations[0]
    redis.kill()
    try:
        async with Line(sites[0], chat, person.cookie) as line:
            await line.send("Hello")
            await _settled(line)
            await line.assert_equals_fresh(patience=15)
        assert reply_of(rows, chat)["status"] == "complete"
    finally:
        redis.start()


async def test_cut_database_connections_cost_no_text(
    cluster: Postgres, people: Iterator[Person], rows: PostgresRows
) -> None:
    person = next(people)
    chat = person.conversations[0]
    with Site(polly=SETTINGS, rows=rows) as site:
        async with Line(site, chat, person.cookie) as line:
            await line.send("Hello")
            await line.until_shown("word20")
            for _ in range(4):
                cluster.cut(rows)
                await asyncio.sleep(0.7)  # Into the next checkpoint, or the end.
            await line.until_settled()
            await line.assert_equals_fresh()
            reply = reply_of(rows, chat)
            assert (reply["status"], reply["content"]) == ("complete", LONG_ANSWER)


async def _settled(line: Line) -> None:
    """Wait for the end of the reply; a line that drops is laid again, as htmx does."""
    while True:
        try:
            if line.socket is None:
                await line.connect()
            await line.until_settled(patience=40)
        except (AssertionError, OSError):
            if not line.closed.is_set():
                raise
        else:
            return


async def _shown_again(line: Line) -> None:
    if line.socket is None:
        await line.connect()
    await line.until_shown("Again", 'data-status="streaming"', "word5")
    await line.until_settled()
    await line.assert_equals_fresh()
