"""A process that is told to end: once, twice, or by a person at the keyboard."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator

import pytest

from tests.line import Line
from tests.live import Site, scripted
from tests.rows import Person, SqliteRows
from tests.survival.conftest import LONG_ANSWER, polly, reply_of

pytestmark = pytest.mark.live

# Long enough to be in the middle of it whenever it matters.
SETTINGS = polly(**scripted(text=LONG_ANSWER, pace=0.1), SHUTDOWN_GRACE=60)
QUICK = 10
"""Seconds in which a process is gone that waits for nothing."""


@pytest.fixture(scope="module")
def people(file: SqliteRows) -> Iterator[Person]:
    """Return somebody new at each next()."""
    return iter(file.people(2))


@pytest.fixture
def site(file: SqliteRows) -> Iterator[Site]:
    """Return a site that a test ends."""
    with Site(polly=SETTINGS, rows=file) as started:
        yield started


async def test_ctrl_c_waits_for_nothing_and_saves_all(
    site: Site, file: SqliteRows, people: Iterator[Person]
) -> None:
    person = next(people)
    async with Line(site, person.conversations[0], person.cookie) as line:
        await line.send("Hello")
        await line.until_shown("word10")
        process, begun = site.running, time.monotonic()
        site.kill(signal.SIGINT)
        assert time.monotonic() - begun < QUICK
        await line.closed.wait()
    # As daphne itself ends, or Python by an interrupt.
    assert process.returncode in {0, 130, -signal.SIGINT}
    reply = reply_of(file, person.conversations[0])
    assert reply["status"] == "interrupted"
    assert "word10" in reply["content"]
    assert LONG_ANSWER.startswith(reply["content"])


async def test_second_sigterm_waits_no_longer(
    site: Site, file: SqliteRows, people: Iterator[Person]
) -> None:
    person = next(people)
    async with Line(site, person.conversations[0], person.cookie) as line:
        await line.send("Hello")
        await line.until_shown("word10")
        site.send_signal(signal.SIGTERM)
        # It waits for the answer, which goes on meanwhile.
        await line.until_shown("word20")
        assert site.is_alive
        begun = time.monotonic()
        site.send_signal(signal.SIGTERM)
        await asyncio.to_thread(site.running.wait, QUICK)
        assert time.monotonic() - begun < QUICK
        site.process = None
        await line.closed.wait()
        # The next process finds what is left, when the lease is over.
        site.start()
        await line.connect()
        await line.until_settled()
        await line.assert_equals_fresh()
    reply = reply_of(file, person.conversations[0])
    assert reply["status"] == "interrupted"
    assert "word10" in reply["content"]
