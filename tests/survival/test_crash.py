"""Processes that die, sleep or are told to end, with one SQLite file between them."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import time
from collections.abc import Iterator

import pytest

from tests.line import Line
from tests.live import Site, scripted
from tests.patience import PATIENCE
from tests.rows import Person, SqliteRows
from tests.survival.conftest import LEASE, LONG_ANSWER, polly, reply_of

pytestmark = pytest.mark.live

SETTINGS = polly(**scripted(text=LONG_ANSWER, pace=0.01))
SWEEPS = 100 if os.environ.get("POLLY_LONG") == "1" else 5


@pytest.fixture(scope="module")
def people(file: SqliteRows) -> Iterator[Person]:
    """Return somebody new at each next()."""
    return iter(file.people(SWEEPS + 10))


@pytest.fixture
def site(file: SqliteRows) -> Iterator[Site]:
    """Return a site that a test may kill."""
    with Site(polly=SETTINGS, rows=file) as started:
        yield started


async def test_kill_at_any_moment_loses_nothing_that_was_acknowledged(
    file: SqliteRows, people: Iterator[Person]
) -> None:
    seeded = random.Random(53)
    with Site(polly=SETTINGS, rows=file) as site:
        for _ in range(SWEEPS):
            person = next(people)
            await _kill_once(site, file, person, seeded.uniform(0.0, 2.5))


async def _kill_once(
    site: Site, file: SqliteRows, person: Person, seconds: float
) -> None:
    chat = person.conversations[0]
    async with Line(site, chat, person.cookie) as line:
        nonce = await line.send("Hello")
        await line.until(f'data-acked="{nonce}"')
        await asyncio.sleep(seconds)  # The moment is what the test is about.
        seen = _text(line)
        site.kill()
        await line.closed.wait()
        site.start()
        await line.connect()
        await line.until_settled(patience=LEASE + 15)
        await line.assert_equals_fresh()
    messages = file.messages(chat)
    assert [row["party"] for row in messages] == ["USER", "ASSISTANT"]
    assert messages[0]["content"] == "Hello"
    reply = messages[1]
    assert reply["status"] in {"complete", "interrupted"}
    assert LONG_ANSWER.startswith(reply["content"])
    # At most the text since the last checkpoint is gone: a second, and some for a
    # busy machine.
    assert len(seen) - len(reply["content"]) < 2.5 * 100 * len("word100 ")


async def test_interrupted_reply_is_told_and_can_be_continued(
    site: Site, file: SqliteRows, people: Iterator[Person]
) -> None:
    person = next(people)
    chat = person.conversations[0]
    async with Line(site, chat, person.cookie) as line:
        await line.send("Hello")
        await line.until_shown("word150")
        site.kill()
        begun = time.monotonic()
        await line.closed.wait()
        site.start()
        await line.connect()
        await line.until_shown('data-status="interrupted"', "Continue")
        assert time.monotonic() - begun < LEASE + 15
        kept = reply_of(file, chat)["content"]
        assert "word50" in kept
        await line.act("continue", _public_id(file, chat))
        await line.until_shown('data-status="streaming"')
        await line.until_settled()
        await line.assert_equals_fresh()
    reply = reply_of(file, chat)
    assert (reply["status"], reply["content"]) == ("complete", kept + LONG_ANSWER)


async def test_dead_reply_is_found_by_the_command(
    site: Site, file: SqliteRows, people: Iterator[Person]
) -> None:
    person = next(people)
    chat = person.conversations[0]
    async with Line(site, chat, person.cookie) as line:
        await line.send("Hello")
        await line.until_shown("word20")
        site.kill()
    await asyncio.sleep(LEASE)  # What a lease is.
    file._run("-m", "django", "polly_reap")
    assert reply_of(file, chat)["status"] == "interrupted"


async def test_runner_that_slept_too_long_writes_no_more(
    site: Site, file: SqliteRows, people: Iterator[Person]
) -> None:
    person = next(people)
    chat = person.conversations[0]
    with Site(polly=SETTINGS, rows=file) as other:
        async with (
            Line(site, chat, person.cookie) as asleep,
            Line(other, chat, person.cookie) as awake,
        ):
            await asleep.send("Hello")
            await awake.until_shown("word50")
            site.pause()
            await awake.until_shown('data-status="interrupted"', "Continue")
            kept = reply_of(file, chat)["content"]
            await awake.act("continue", _public_id(file, chat))
            await awake.until_shown('data-status="streaming"')
            await awake.until_settled()
            site.resume()
            await asleep.until_settled()
            await asleep.assert_equals_fresh()
            await awake.assert_equals_fresh()
    reply = reply_of(file, chat)
    assert (reply["status"], reply["content"]) == ("complete", kept + LONG_ANSWER)


async def test_process_that_is_told_to_end_lets_its_reply_end(
    site: Site, file: SqliteRows, people: Iterator[Person]
) -> None:
    person = next(people)
    chat = person.conversations[0]
    async with Line(site, chat, person.cookie) as line:
        await line.send("Hello")
        await line.until_shown("word150")
        process = site.running
        site.kill(signal.SIGTERM)
        await line.closed.wait()
    assert process.returncode == 0
    reply = reply_of(file, chat)
    assert (reply["status"], reply["content"]) == ("complete", LONG_ANSWER)


async def test_what_does_not_end_within_the_grace_is_marked_with_all_its_text(
    file: SqliteRows, people: Iterator[Person]
) -> None:
    person = next(people)
    chat = person.conversations[0]
    with Site(polly={**SETTINGS, "SHUTDOWN_GRACE": 0.5}, rows=file) as site:
        async with Line(site, chat, person.cookie) as line:
            await line.send("Hello")
            await line.until_shown("word50")
            process, begun = site.running, time.monotonic()
            site.kill(signal.SIGTERM)
            assert time.monotonic() - begun < 8
            await line.closed.wait()
            seen = _text(line)
    assert process.returncode == 0
    reply = reply_of(file, chat)
    assert reply["status"] == "interrupted"
    assert LONG_ANSWER.startswith(reply["content"])
    assert len(reply["content"]) >= len(seen)


async def test_message_sent_while_a_process_ends_is_answered_by_the_next(
    site: Site, file: SqliteRows, people: Iterator[Person]
) -> None:
    first, second = next(people), next(people)
    async with (
        Line(site, first.conversations[0], first.cookie) as running,
        Line(site, second.conversations[0], second.cookie) as late,
    ):
        await running.send("Hello")
        await running.until_shown("word20")
        site.send_signal(signal.SIGTERM)
        nonce = await late.send("Too late?")
        await late.until(f'data-acked="{nonce}"')
        site.running.wait(PATIENCE)
        site.process = None
        site.start()
        await late.closed.wait()
        await late.connect()
        await late.until_settled()
        await late.assert_equals_fresh()
    assert reply_of(file, second.conversations[0])["status"] == "complete"


def _public_id(file: SqliteRows, chat: str) -> str:
    return str(reply_of(file, chat)["external_id"])


def _text(line: Line) -> str:
    """Return what the page shows of the answer."""
    return " ".join(re.findall(r"word\d+", line.log))
