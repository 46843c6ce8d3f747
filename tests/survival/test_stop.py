"""Stop: the provider's connection closes at once, and the text stays."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.fake_provider import Exchange, FakeProvider
from tests.line import Line
from tests.live import Site
from tests.patience import PATIENCE
from tests.programs import until
from tests.rows import Person, SqliteRows
from tests.survival.conftest import eventually, models, polly, reply_of

pytestmark = pytest.mark.live

TRIES = 3
WORDS = [f"word{number} " for number in range(100)]


@pytest.fixture(scope="module")
def site(file: SqliteRows, provider: FakeProvider) -> Iterator[Site]:
    """Return a site whose models are asked over HTTP."""
    provider.pieces, provider.pace = WORDS, 0.01
    settings = polly(**models(provider.url, "good", "drip", "hang"))
    with Site(polly=settings, rows=file) as started:
        yield started


def somebody(file: SqliteRows, model: str) -> Person:
    return file.person(model=model)


def asked(provider: FakeProvider, text: str) -> list[Exchange]:
    """Return the requests that end with a message, perhaps below unanswered ones."""
    return [
        exchange
        for exchange in [*provider.exchanges]
        if exchange.body["messages"][-1]["content"].split("\n\n")[-1] == text
    ]


async def request_for(provider: FakeProvider, text: str) -> Exchange:
    """Return the request that a message has led to, once it is there."""
    await asyncio.to_thread(until, lambda: asked(provider, text), "The model is asked.")
    return asked(provider, text)[0]


async def stop(line: Line, file: SqliteRows, exchange: Exchange) -> float:
    """Stop the running reply; return how long the provider had to wait for it."""
    begun = time.monotonic()
    await line.act("stop", str(reply_of(file, line.conversation)["external_id"]))
    assert await asyncio.to_thread(exchange.closed.wait, PATIENCE)
    return exchange.closed_at - begun


async def test_stop_closes_the_providers_connection_and_the_next_message_works(
    site: Site, file: SqliteRows, provider: FakeProvider
) -> None:
    person = somebody(file, "drip")
    chat = person.conversations[0]
    taken: list[float] = []
    async with Line(site, chat, person.cookie) as line:
        for number in range(TRIES):
            text = f"Count, {number}"
            nonce = await line.send(text)
            await line.until(f'data-acked="{nonce}"')
            known = len(line.frames)
            exchange = await request_for(provider, text)
            await line.until("20 21 22 ", since=known)
            taken.append(await stop(line, file, exchange))
            await line.until_settled()
            await line.assert_equals_fresh()
            reply = reply_of(file, chat)
            assert reply["status"] == "stopped"
            assert reply["content"].startswith("0 1 2 3 ")
            assert len(asked(provider, text)) == 1
    # Of some tries the best: a busy machine may be late, a stop that waits for the
    # next checkpoint is never on time.
    assert min(taken) < 0.5


async def test_stop_before_the_first_word_hangs_up_on_a_model_that_is_silent(
    site: Site, file: SqliteRows, provider: FakeProvider
) -> None:
    person = somebody(file, "hang")
    chat = person.conversations[0]
    taken: list[float] = []
    async with Line(site, chat, person.cookie) as line:
        for number in range(TRIES):
            text = f"Silence, {number}"
            nonce = await line.send(text)
            exchange = await request_for(provider, text)
            await line.until(f'data-acked="{nonce}"')
            taken.append(await stop(line, file, exchange))
            await line.until_settled()
            await line.assert_equals_fresh()
            reply = reply_of(file, chat)
            assert (reply["status"], reply["content"]) == ("stopped", "")
    assert min(taken) < 0.5


async def test_stop_after_the_end_is_harmless(site: Site, file: SqliteRows) -> None:
    person = somebody(file, "good")
    chat = person.conversations[0]
    async with Line(site, chat, person.cookie) as line:
        await line.send("Hello")
        await line.until_shown("word99")
        await line.until_settled()
        before = reply_of(file, chat)
        await line.act("stop", str(before["external_id"]))
        nonce = await line.send("Again")
        await line.until(f'data-acked="{nonce}"')
        await line.until_shown("Again")
        await line.until_settled()
        await line.assert_equals_fresh()
    assert file.messages(chat)[1] == before
    assert reply_of(file, chat)["status"] == "complete"


async def test_stop_and_the_next_message_at_once_stay_in_order(
    site: Site, file: SqliteRows, provider: FakeProvider
) -> None:
    person = somebody(file, "drip")
    chat = person.conversations[0]
    async with Line(site, chat, person.cookie) as line:
        await line.send("First")
        await line.until_shown("5 6 7 ")
        known = len(line.frames)
        await line.act("stop", str(reply_of(file, chat)["external_id"]))
        nonce = await line.send("Second")
        # It may come before the end of the first answer: then it is refused, stays in
        # the composer, and is sent again.
        while "data-acked" not in await _verdict(line, known):
            known = len(line.frames)
            await line.send("Second", nonce=nonce)
        await stop(line, file, await request_for(provider, "Second"))
        await line.until_settled()
        await line.assert_equals_fresh()
    messages = file.messages(chat)
    assert [row["content"] for row in messages if row["party"] == "USER"] == [
        "First",
        "Second",
    ]
    parties = [row["party"] for row in messages]
    assert parties == ["USER", "ASSISTANT", "USER", "ASSISTANT"]
    assert messages[1]["finished_at"] <= messages[2]["created_at"]
    assert len(asked(provider, "First")) == len(asked(provider, "Second")) == 1


async def test_answer_goes_on_when_every_tab_is_closed(
    site: Site, file: SqliteRows, provider: FakeProvider
) -> None:
    person = somebody(file, "good")
    chat = person.conversations[0]
    async with (
        Line(site, chat, person.cookie) as one,
        Line(site, chat, person.cookie) as two,
    ):
        await one.send("Go on without me")
        await two.until_shown("word9")
        one.cut()
    await asyncio.to_thread(
        eventually, lambda: reply_of(file, chat)["status"] == "complete", "It ended."
    )
    assert reply_of(file, chat)["content"] == "".join(WORDS)
    assert len(asked(provider, "Go on without me")) == 1
    async with Line(site, chat, person.cookie) as line:
        assert "word99" in line.log
        await line.assert_equals_fresh()


async def _verdict(line: Line, since: int) -> str:
    """Return the frame that says what became of a message."""
    found: list[str] = []

    def is_there() -> bool:
        found[:] = [
            frame
            for frame in line.frames[since:]
            if "data-acked" in frame or "still being written" in frame
        ]
        return bool(found)

    await line.wait_until(is_there, "a word of the message")
    return found[0]
