"""Replies on workers: the web follows, and what dies disturbs no one for long."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator

import pytest

from tests.line import Line
from tests.live import Site, Worker, scripted
from tests.patience import PATIENCE
from tests.rows import Person, PostgresRows
from tests.services import Redis
from tests.survival.conftest import LEASE, LONG_ANSWER, eventually, polly, reply_of

pytestmark = pytest.mark.live

SETTINGS = polly(**scripted(text=LONG_ANSWER, pace=0.01), REPLIES="worker")


@pytest.fixture(scope="module")
def site(rows: PostgresRows, redis: Redis) -> Iterator[Site]:
    """Return a web process that writes no reply itself."""
    with Site(polly=SETTINGS, rows=rows, layer=redis.layer) as web:
        yield web


@pytest.fixture(scope="module")
def worker(rows: PostgresRows, redis: Redis) -> Iterator[Worker]:
    """Return a process that writes replies."""
    with Worker(polly=SETTINGS, rows=rows, layer=redis.layer) as process:
        yield process


@pytest.mark.usefixtures("worker")
async def test_restarted_web_process_leaves_the_answer_running(
    site: Site, people: Iterator[Person], rows: PostgresRows
) -> None:
    person = next(people)
    chat = person.conversations[0]
    async with Line(site, chat, person.cookie) as line:
        await line.send("Hello")
        await line.until_shown("word20")
        site.kill()
        await line.closed.wait()
        site.start()
        await line.connect()
        await line.until_settled()
        await line.assert_equals_fresh()
    reply = reply_of(rows, chat)
    assert (reply["status"], reply["content"]) == ("complete", LONG_ANSWER)


@pytest.mark.usefixtures("worker")
async def test_stop_reaches_the_worker(
    site: Site, people: Iterator[Person], rows: PostgresRows
) -> None:
    person = next(people)
    chat = person.conversations[0]
    async with Line(site, chat, person.cookie) as line:
        await line.send("Hello")
        await line.until_shown("word20")
        begun = time.monotonic()
        await line.act("stop", str(reply_of(rows, chat)["external_id"]))
        await line.until_settled()
        assert time.monotonic() - begun < 1
        await line.assert_equals_fresh()
    assert reply_of(rows, chat)["status"] == "stopped"


async def test_killed_worker_interrupts_its_reply_and_another_takes_what_waits(
    site: Site,
    worker: Worker,
    people: Iterator[Person],
    rows: PostgresRows,
    redis: Redis,
) -> None:
    first, second = next(people), next(people)
    async with (
        Line(site, first.conversations[0], first.cookie) as lost,
        Line(site, second.conversations[0], second.cookie) as waiting,
    ):
        await lost.send("Hello")
        await lost.until_shown("word150")  # Some checkpoints later.
        worker.kill()
        begun = time.monotonic()
        await waiting.send("Is anybody there?")  # Nobody hears of this one.
        await lost.until_shown('data-status="interrupted"', "Continue")
        assert time.monotonic() - begun < LEASE + 10
        assert "word50" in reply_of(rows, first.conversations[0])["content"]
        await lost.assert_equals_fresh()
        with Worker(polly=SETTINGS, rows=rows, layer=redis.layer):
            await waiting.until_settled()
            await waiting.assert_equals_fresh()
            assert reply_of(rows, second.conversations[0])["status"] == "complete"
            await lost.act(
                "continue",
                str(reply_of(rows, first.conversations[0])["external_id"]),
            )
            await lost.until_shown('data-status="streaming"')
            await lost.until_settled()
            await lost.assert_equals_fresh()
        assert reply_of(rows, first.conversations[0])["status"] == "complete"
    worker.start()


async def test_worker_that_is_told_to_end_lets_its_reply_end(
    site: Site, people: Iterator[Person], rows: PostgresRows, redis: Redis
) -> None:
    person = next(people)
    chat = person.conversations[0]
    worker = Worker(polly=SETTINGS, rows=rows, layer=redis.layer)
    with worker:
        async with Line(site, chat, person.cookie) as line:
            await line.send("Hello")
            await line.until_shown("word20")
            worker.send_signal(signal.SIGTERM)
            await line.until_settled()
            await line.assert_equals_fresh()
        await asyncio.to_thread(worker.running.wait, PATIENCE)
    eventually(lambda: reply_of(rows, chat)["status"] == "complete", "It ended.")
    assert reply_of(rows, chat)["content"] == LONG_ANSWER


@pytest.mark.usefixtures("worker")
def test_web_process_never_loads_a_model_library(site: Site) -> None:
    maps = f"/proc/{site.running.pid}/maps"
    with open(maps) as mapped:
        assert "tiktoken" not in mapped.read(), "litellm was imported."
