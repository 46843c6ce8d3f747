"""Long answers under a server that sends no large frames."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.line import Line
from tests.live import Site
from tests.rows import SqliteRows
from tests.survival.conftest import polly

pytestmark = pytest.mark.live

LIMIT = str(64 * 1024)
PARAGRAPH = "A paragraph of *some* words, one of very many.\n\n"
TIMES = 1_600


@pytest.fixture
def site(file: SqliteRows) -> Iterator[Site]:
    """Return a site whose daphne takes and sends at most 64 kB at once."""
    # Told to the process in its environment, which has no room for the whole.
    script = {"text": PARAGRAPH, "times": TIMES, "at_once": 400, "pace": 0.005}
    backend = "tests.survival.invokers.LongInvoker"
    models = {"SCRIPTED": {"backend": backend, "params": script}}
    settings = polly(DEFAULT_MODEL="SCRIPTED", MODELS=models, REPLY_LEASE=20)
    options = (
        *("--websocket-max-message-size", LIMIT),
        *("--websocket-max-frame-size", LIMIT),
    )
    with Site(polly=settings, rows=file, options=options) as started:
        yield started


async def test_pages_join_and_come_back_to_a_long_answer(
    site: Site, file: SqliteRows
) -> None:
    person = file.person()
    chat = person.conversations[0]
    async with Line(site, chat, person.cookie) as early:
        await early.send("Hello")
        await early.wait_until(lambda: early.received > 60_000, "Much")
        async with Line(site, chat, person.cookie) as late:
            await late.until_shown("one of very many")
            early.cut()
            await early.closed.wait()
            await late.until_settled()
            await late.assert_equals_fresh()
        await early.connect()
        await early.until_settled()
        await early.assert_equals_fresh()
        assert not early.closed.is_set()
    sizes = [len(frame.encode()) for frame in early.frames]
    assert max(sizes) < int(LIMIT)
    assert sum(sizes) > TIMES * len(PARAGRAPH)
