"""Several processes on one database and one Redis: one conversation for all of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.line import Line
from tests.live import Site, scripted
from tests.rows import Person, PostgresRows
from tests.services import Redis
from tests.survival.conftest import LONG_ANSWER, polly, reply_of

pytestmark = pytest.mark.live

SCRIPT = scripted(text=LONG_ANSWER, pace=0.005)


@pytest.fixture(scope="module")
def sites(rows: PostgresRows, redis: Redis) -> Iterator[list[Site]]:
    """Return two web processes that write replies themselves."""
    settings = polly(**SCRIPT)
    with (
        Site(polly=settings, rows=rows, layer=redis.layer) as one,
        Site(polly=settings, rows=rows, layer=redis.layer) as two,
    ):
        yield [one, two]


async def test_tabs_in_two_processes_see_one_stream(
    sites: list[Site], people: Iterator[Person]
) -> None:
    person = next(people)
    chat = person.conversations[0]
    async with (
        Line(sites[0], chat, person.cookie) as one,
        Line(sites[1], chat, person.cookie) as two,
    ):
        await one.send("Hello")
        await two.until_shown("word10")
        assert "word399" not in two.log, "It came at once, not as it was written."
        await asyncio.gather(one.until_settled(), two.until_settled())
        await one.assert_equals_fresh()
        await two.assert_equals_fresh()
        assert "word399" in two.log


async def test_stop_from_the_other_process(
    sites: list[Site], people: Iterator[Person], rows: PostgresRows
) -> None:
    person = next(people)
    chat = person.conversations[0]
    async with (
        Line(sites[0], chat, person.cookie) as one,
        Line(sites[1], chat, person.cookie) as two,
    ):
        await one.send("Hello")
        await two.until_shown("word20")
        begun = time.monotonic()
        await two.act("stop", str(reply_of(rows, chat)["external_id"]))
        await asyncio.gather(one.until_settled(), two.until_settled())
        assert time.monotonic() - begun < 1
        await one.assert_equals_fresh()
        await two.assert_equals_fresh()
        reply = reply_of(rows, chat)
        assert reply["status"] == "stopped"
        assert reply["content"].startswith("word0 word1 ")
        await two.send("And now?")  # The next message works at once.
        await two.until_shown('data-status="streaming"')


async def test_tab_that_comes_in_mid_answer_sees_it_all(
    sites: list[Site], people: Iterator[Person]
) -> None:
    person = next(people)
    chat = person.conversations[0]
    async with Line(sites[0], chat, person.cookie) as one:
        await one.send("Hello")
        await one.until_shown("word50")
        async with Line(sites[1], chat, person.cookie) as late:
            await late.until_shown("word0 word1 ", "word60")
            assert 'data-status="streaming"' in late.log
            await late.until_settled()
            await late.assert_equals_fresh()
        await one.until_settled()
        await one.assert_equals_fresh()


async def test_one_nonce_from_twenty_sockets_is_one_turn(
    sites: list[Site], people: Iterator[Person], rows: PostgresRows
) -> None:
    person = next(people)
    chat = person.conversations[0]
    lines = [Line(sites[n % 2], chat, person.cookie) for n in range(20)]
    await asyncio.gather(*(line.__aenter__() for line in lines))
    try:
        await asyncio.gather(*(line.send("Hello", nonce="same") for line in lines))
        await asyncio.gather(*(line.until('data-acked="same"') for line in lines))
        await asyncio.gather(*(line.until_settled() for line in lines))
        for line in lines[::5]:
            await line.assert_equals_fresh()
    finally:
        await asyncio.gather(*(line.hang_up() for line in lines))
    assert [row["party"] for row in rows.messages(chat)] == ["USER", "ASSISTANT"]


async def test_two_tabs_that_send_at_once_never_mix(
    sites: list[Site], people: Iterator[Person], rows: PostgresRows
) -> None:
    person = next(people)
    chat = person.conversations[0]
    async with (
        Line(sites[0], chat, person.cookie) as one,
        Line(sites[1], chat, person.cookie) as two,
    ):
        await asyncio.gather(one.send("from one"), two.send("from two"))
        for line in (one, two):
            await line.until_shown("from one", "from two")
            await line.until_settled()
        await one.assert_equals_fresh()
        await two.assert_equals_fresh()
    parties = [row["party"] for row in rows.messages(chat)]
    assert parties == ["USER", "ASSISTANT"] * 2, "One waited for the other's answer."
