"""Many at once, and those who can't keep up: nobody is slowed down by another."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.line import Line
from tests.live import Site, scripted
from tests.rows import Person, SqliteRows
from tests.survival.conftest import eventually, polly, reply_of

pytestmark = pytest.mark.live

PEOPLE, CHATS = 20, 10
SHORT = "A short answer, with **some** of `all` in it.\n\nAnd an end."
MIB = 1024 * 1024
SENTENCE = "This is one of a great many sentences in an answer without an end. "
PLAIN = SENTENCE * 15 + "\n\n"
# Of which the HTML is longer than a page may leave unread.
HEAVY = "< & > " * 170 + "\n\n"
TIMES = 1_000
PATIENCE = 90
ENDED = ("polly-foot-", 'data-polly-status="complete"')


def long_answers() -> dict[str, Any]:
    """Return settings with models whose answers are of a million characters."""
    backend = "tests.survival.invokers.LongInvoker"
    script = {"times": TIMES, "at_once": 600, "pace": 0.004}
    entries = {
        name: {"backend": backend, "params": {**script, "text": text}}
        for name, text in {"PLAIN": PLAIN, "HEAVY": HEAVY}.items()
    }
    return {"DEFAULT_MODEL": "PLAIN", "MODELS": entries, "MAX_ANSWER_CHARS": 2_000_000}


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


async def test_two_hundred_conversations_at_once_all_end_well(tmp_path: Path) -> None:
    # A file of its own: the other site would take over what waits, and knows no script.
    file = SqliteRows(str(tmp_path / "rows.sqlite3"))
    file.migrate()
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
    ends = Counter(
        (row["status"], row["error"], row["content"])
        for line in lines
        for row in file.messages(line.conversation)
        if row["party"] == "ASSISTANT"
    )
    assert ends == {("complete", "", SHORT): len(lines)}


@pytest.fixture(scope="module")
def site(file: SqliteRows) -> Iterator[Site]:
    """Return a site whose answers are very long."""
    # daphne's own limit, a mebibyte, counts for what it sends as well.
    options = ("--websocket-max-message-size", str(8 * MIB))
    settings = polly(**long_answers(), REPLY_LEASE=20)
    with Site(polly=settings, rows=file, options=options) as started:
        yield started


async def test_reader_that_stops_reading_slows_and_swells_nothing(
    site: Site, file: SqliteRows
) -> None:
    alone, watched = file.people(2, model="HEAVY")
    # Twice without: what such an answer costs in time and memory anyhow.
    for _ in range(2):
        usual = await _answer(site, alone)
    before = site.rss()
    chat = watched.conversations[0]
    async with Line(site, chat, watched.cookie) as deaf:
        deaf.deaf()
        taken = await _answer(site, watched)
        grown = site.rss() - before
        deaf.hear()
        await asyncio.wait_for(deaf.closed.wait(), PATIENCE)
    # Two MiB and a frame: no answer is kept for one who does not read it.
    assert deaf.received < 2.5 * MIB
    assert taken < 2 * usual + 2
    assert grown < 30 * MIB, f"{grown / MIB:.1f} MiB"
    reply = reply_of(file, chat)
    assert (reply["status"], reply["content"]) == ("complete", HEAVY * TIMES)


async def test_page_that_falls_behind_is_shown_all_when_it_has_caught_up(
    site: Site, file: SqliteRows
) -> None:
    person = file.person(model="PLAIN")
    chat = person.conversations[0]
    async with Line(site, chat, person.cookie) as line:
        await line.act("seen", "0")
        await line.send("Tell me all")
        await line.wait_until(lambda: line.received > 256 * 1024, "much", PATIENCE)
        # The page is left alone: what was on its way comes in, and then no more.
        await _grows(file, chat, 150_000)
        known, behind = len(line.frames), line.received
        await _grows(file, chat, 150_000)
        assert len(line.frames) == known
        await line.act("seen", str(known))
        await line.until('-status="streaming"', since=known)
        # All of it once more, in several frames.
        await line.wait_until(lambda: line.received > 2 * behind, "all", PATIENCE)
        await line.act("seen", str(len(line.frames)))
        await line.until(*ENDED, patience=PATIENCE)
        await line.assert_equals_fresh(patience=30)


async def _answer(site: Site, person: Person) -> float:
    """Have a long answer written to somebody who keeps up; return how long it took."""
    async with acknowledging(
        Line(site, person.conversations[0], person.cookie)
    ) as line:
        begun = time.monotonic()
        await line.send("Tell me all")
        await line.until(*ENDED, patience=PATIENCE)
        taken = time.monotonic() - begun
        await line.assert_equals_fresh(patience=30)
    return taken


async def _grows(file: SqliteRows, chat: str, chars: int) -> None:
    """Return when a running reply is by so much longer in the database."""
    before = len(reply_of(file, chat)["content"])

    def has_grown() -> bool:
        reply = reply_of(file, chat)
        assert reply["status"] == "streaming"
        return len(reply["content"]) > before + chars

    await asyncio.to_thread(eventually, has_grown, "The answer goes on.")


async def _within(few: asyncio.Semaphore, work: Awaitable[object]) -> None:
    async with few:
        await work
