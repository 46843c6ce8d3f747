"""Gathering: many answers at once are read at intervals, and nothing else changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from polly_htmx.llm import Finished, Text, deltas, exceptions, gathering
from polly_htmx.llm.deltas import Deltas
from polly_htmx.llm.exceptions import LLMError
from polly_htmx.llm.gathering import AT_ONCE, MUCH, Gathering, gathered
from polly_htmx.llm.transport import Transport
from tests.fake_provider import Exchange, FakeProvider
from tests.llm.conftest import Invoke
from tests.llm.site import Site, contexts, serving
from tests.patience import PATIENCE

Rests = Callable[[float], None]
WORDS = [f"word {number} ".encode() for number in range(50)]
FIRST = [b"first "] * AT_ONCE


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> Rests:
    """Return a function that says how long every answer rests from now on."""

    def change(seconds: float) -> None:
        monkeypatch.setattr(gathering, "rest", lambda: seconds)

    return change


@pytest.fixture(params=["plain", "tls"])
async def asked(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[Site, httpx.Response]]:
    """Return a site and its response, of which only the head has come."""
    server, client = contexts(tmp_path)
    is_plain = request.param == "plain"
    async with AsyncExitStack() as stack:
        site = await stack.enter_async_context(serving(None if is_plain else server))
        asking = httpx.AsyncClient(transport=Transport(verify=client), timeout=PATIENCE)
        asking = await stack.enter_async_context(asking)
        url = f"{'http' if is_plain else 'https'}://127.0.0.1:{site.port}/"
        response = await asking.send(asking.build_request("GET", url), stream=True)
        stack.push_async_callback(response.aclose)
        yield site, response


@asynccontextmanager
async def raw(response: httpx.Response) -> AsyncIterator[AsyncIterator[bytes]]:
    """Give the pieces of a body as they come, and read no more of them after that."""
    async with aclosing(response.aiter_raw()) as pieces:  # type: ignore[type-var]
        yield pieces


async def heard(pieces: AsyncIterator[bytes], words: list[bytes]) -> None:
    """Hear these words, in however many pieces."""
    wanted, found = b"".join(words), b""
    while len(found) < len(wanted):
        found += await anext(pieces)
    assert found == wanted


async def test_what_comes_during_a_rest_takes_one_read(
    asked: tuple[Site, httpx.Response], rests: Rests
) -> None:
    rests(0.1)
    site, response = asked
    with gathered(response):
        [read] = gathering.being_read
        async with raw(response) as pieces:
            for word in FIRST:
                site.say(word)
                await heard(pieces, [word])
            before = read.reads
            site.say(*WORDS)
            await heard(pieces, WORDS)
            # They may come in a few pieces, but not one by one.
            assert read.reads - before < len(WORDS) / 4
            site.end()
            assert [piece async for piece in pieces] == []
    assert not gathering.being_read


async def test_first_words_do_not_wait(
    asked: tuple[Site, httpx.Response], rests: Rests
) -> None:
    rests(2 * PATIENCE)
    site, response = asked
    with gathered(response):
        async with asyncio.timeout(PATIENCE), raw(response) as pieces:
            for word in FIRST:
                site.say(word)
                await heard(pieces, [word])


async def test_body_without_a_connection_is_read_as_it_is() -> None:
    response = httpx.Response(200, content=b"body")
    with gathered(response):
        assert await response.aread() == b"body"
    assert not gathering.being_read


async def test_end_of_the_body_is_read_without_a_rest(
    rests: Rests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deltas, "LAST_WORDS", PATIENCE)
    transport = Transport()
    async with serving() as site, httpx.AsyncClient(transport=transport) as client:
        for _question in range(2):
            rests(0.0)
            url = f"http://127.0.0.1:{site.port}/"
            response = await client.send(client.build_request("GET", url), stream=True)
            async with aclosing(Deltas().read(response)) as events:
                for _word in FIRST:
                    site.say(said("word"))
                    assert await anext(events) == Text("word")
                rests(2 * PATIENCE)
                site.say(said("last"), b"data: [DONE]\n\n")
                assert await anext(events) == Text("last")
                site.end()
                assert await anext(events, None) is None
            await response.aclose()
        assert site.connections == 1


def said(word: str) -> bytes:
    return (
        f"data: {json.dumps({'choices': [{'delta': {'content': word}}]})}\n\n".encode()
    )


@pytest.mark.parametrize(("size", "waits"), [(10, 5), (MUCH, 0)])
async def test_only_who_sends_little_at_a_time_is_rested_from(
    rests: Rests, monkeypatch: pytest.MonkeyPatch, size: int, waits: int
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    rests(PATIENCE)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    read = Gathering()
    monkeypatch.setattr(gathering, "being_read", {read})
    for _ in range(AT_ONCE + 5):
        await read.wait(None)
        read.count(size)
    assert len(slept) == waits


def test_the_more_answers_the_longer_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    def rest(answers: int) -> float:
        reads = {Gathering() for _ in range(answers)}
        monkeypatch.setattr(gathering, "being_read", reads)
        return gathering.rest()

    assert [rest(0), rest(1), rest(2)] == [0, 0, 0]
    assert rest(3) == pytest.approx(0.012)
    assert rest(20) == pytest.approx(0.08)
    assert rest(1_000) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("reset", exceptions.Interrupted),
        ("cut", exceptions.Interrupted),
        ("chunked-cut", exceptions.Interrupted),
        ("error-event", exceptions.Interrupted),
    ],
)
async def test_fault_is_heard_after_a_rest(
    invoke: Invoke,
    rests: Rests,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    problem: type[LLMError],
) -> None:
    monkeypatch.setattr(gathering, "AT_ONCE", 0)
    rests(0.05)
    invoker = invoke(script)
    with pytest.raises(problem):
        await invoker.asend_message("Hi")
    assert invoker.reply is not None
    assert invoker.reply.text
    assert not gathering.being_read


async def test_stop_does_not_wait_for_the_end_of_a_rest(
    invoke: Invoke, provider: FakeProvider, rests: Rests
) -> None:
    async def talks(exchange: Exchange) -> None:
        await exchange.head()
        while not exchange.gone.is_set():
            await exchange.delta(content="word ")
            await asyncio.sleep(0.01)

    provider.scripts["talks"] = talks
    rests(100 * PATIENCE)
    events = invoke("talks").astream_events("Hi")
    await anext(events)
    [read] = gathering.being_read
    task = asyncio.create_task(drain(events))
    async with asyncio.timeout(PATIENCE):
        while read.reads <= AT_ONCE:  # noqa: ASYNC110  (nobody tells of it)
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await events.aclose()
    assert await asyncio.to_thread(provider.last.closed.wait, PATIENCE)
    assert not gathering.being_read


async def drain(events: AsyncIterator[object]) -> None:
    async for _event in events:
        pass


async def test_many_answers_come_whole(invoke: Invoke, provider: FakeProvider) -> None:
    provider.pieces, provider.pace = [f"{number} " for number in range(30)], 0.005

    async def answer() -> str:
        events = [event async for event in invoke("good").astream_events("Hi")]
        assert isinstance(events[-1], Finished)
        return events[-1].reply.text

    texts = await asyncio.gather(*[answer() for _ in range(12)])
    assert set(texts) == {"".join(provider.pieces)}
