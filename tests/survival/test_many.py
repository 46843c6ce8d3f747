"""Many at once, and those who can't keep up: nobody is slowed down by another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.exceptions import ConnectionClosed

from tests.line import Line
from tests.live import Site, scripted
from tests.rows import Person, SqliteRows
from tests.survival.conftest import polly, reply_of

pytestmark = pytest.mark.live

PEOPLE, CHATS = 20, 10
SHORT = "A short answer, with **some** of `all` in it.\n\nAnd an end."
MIB = 1024 * 1024
PARAGRAPH = "This is *one* of many sentences in a `very` long answer. " * 8 + "\n\n"
TIMES = 1_000_000 // len(PARAGRAPH)
PATIENCE = 90
UNREAD = 4413


def long_answer(**params: object) -> dict[str, object]:
    """Return settings under which each answer is of a million characters."""
    settings = scripted(text=PARAGRAPH, times=TIMES, at_once=20, **params)
    settings["MODELS"]["SCRIPTED"]["backend"] = "tests.survival.invokers.LongInvoker"
    return {**settings, "MAX_ANSWER_CHARS": 2_000_000}


@asynccontextmanager
async def acknowledging(line: Line, seconds: float = 0.2) -> AsyncIterator[Line]:
    """Say what the page has got, again and again, as its script does."""

    async def run() -> None:
        with suppress(ConnectionClosed):
            while True:
                await line.act("seen", str(len(line.frames)))
                await asyncio.sleep(seconds)

    async with line:
        task = asyncio.create_task(run())
        try:
            yield line
        finally:
            task.cancel()
            await asyncio.wait({task})


async def test_two_hundred_conversations_at_once_all_end_well(file: SqliteRows) -> None:
    people = file.people(PEOPLE, CHATS)
    # The lease is the usual one: so many renewals of a shorter would be the test.
    settings = polly(**scripted(text=SHORT, pace=0.05), REPLY_LEASE=20)
    with Site(polly=settings, rows=file) as site:
        lines = [
            Line(site, chat, person.cookie)
            for person in people
            for chat in person.conversations
        ]
        few = asyncio.Semaphore(20)
        await asyncio.gather(*(_within(few, line.__aenter__()) for line in lines))
        try:
            await asyncio.gather(*(line.send("Hello") for line in lines))
            await asyncio.gather(*(line.until_settled(PATIENCE) for line in lines))
            fresh = (_within(few, line.assert_equals_fresh()) for line in lines)
            await asyncio.gather(*fresh)
        finally:
            await asyncio.gather(*(line.hang_up() for line in lines))
    ends = file.all(
        "SELECT status, content, COUNT(*) AS number FROM polly_htmx_message"
        " WHERE party = 'ASSISTANT' GROUP BY status, content"
    )
    assert ends == [{"status": "complete", "content": SHORT, "number": len(lines)}]


@pytest.fixture(scope="module")
def site(file: SqliteRows) -> Iterator[Site]:
    """Return a site whose answers are very long."""
    with Site(polly=polly(**long_answer(), REPLY_LEASE=20), rows=file) as started:
        yield started


async def test_reader_that_stops_reading_slows_and_swells_nothing(
    site: Site, file: SqliteRows
) -> None:
    alone, watched = file.people(2)
    # Once without: what such an answer costs in time and memory anyhow.
    usual = await _answer(site, alone)
    before = site.rss()
    chat = watched.conversations[0]
    async with Line(site, chat, watched.cookie) as deaf:
        socket = deaf.socket
        deaf.deaf()
        taken = await _answer(site, watched)
        grown = site.rss() - before
        deaf.hear()
        await asyncio.wait_for(deaf.closed.wait(), PATIENCE)
    assert socket.close_code == UNREAD
    assert taken < 2 * usual + 2
    assert grown < 30 * MIB, f"{grown / MIB:.1f} MiB"
    reply = reply_of(file, chat)
    assert (reply["status"], reply["content"]) == ("complete", PARAGRAPH * TIMES)


async def _answer(site: Site, person: Person) -> float:
    """Have a long answer written to somebody who keeps up; return how long it took."""
    async with acknowledging(
        Line(site, person.conversations[0], person.cookie)
    ) as line:
        begun = time.monotonic()
        await line.send("Tell me all")
        await line.until_settled(PATIENCE)
        taken = time.monotonic() - begun
        await line.assert_equals_fresh(patience=30)
    return taken


async def _within(few: asyncio.Semaphore, work: object) -> None:
    async with few:
        await work
