"""An address where nobody takes the call: given up early, and the next one asked."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from polly_htmx.llm import LLMConnect, exceptions, litellm_port
from polly_htmx.llm.retries import pause
from tests.fake_provider import Exchange, FakeProvider
from tests.fake_scripts import SCRIPTS

LIMIT = 0.3
LONG = 30.0
"""Seconds that pass only if the limit is not kept: a slow machine gets its time."""


@pytest.fixture
def silent() -> Iterator[int]:
    """Return a port whose calls the system takes, and nobody answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=8) as server:
        yield server.getsockname()[1]


@pytest.fixture
def full() -> Iterator[int]:
    """Return a port that takes no call any more, as one behind a firewall."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        waiting = []
        try:
            # The queue takes one or two, by the system.
            for _ in range(8):
                caller = socket.socket()
                waiting.append(caller)
                caller.setblocking(False)
                caller.connect_ex(("127.0.0.1", port))
            yield port
        finally:
            for caller in waiting:
                caller.close()


@pytest.fixture(params=["openai/", "hosted_vllm/", "anthropic/"])
def prefix(request: pytest.FixtureRequest) -> str:
    """Return one of the ways that litellm asks."""
    return str(request.param)


def site(settings: Settings, prefix: str, address: str, **polly: object) -> None:
    """Set up a model at an address, with one behind it that answers."""
    entry = {
        "model": f"{prefix}good",
        "api_base": address,
        "api_key": "key",
        "fallbacks": ["DUMMY"],
    }
    limits = {"CONNECT_TIMEOUT": LIMIT, "FIRST_TOKEN_TIMEOUT": 2 * LONG}
    settings.POLLY = {"RETRIES": 2, **limits, **polly, "MODELS": {"FAR": entry}}
    litellm_port.load()


async def test_call_that_nobody_takes_goes_to_the_fallback(
    settings: Settings, full: int, prefix: str
) -> None:
    site(settings, prefix, f"http://127.0.0.1:{full}/v1")
    invoker = LLMConnect("FAR").invoker()
    begun = time.monotonic()
    reply = await invoker.asend_message("Hi")
    assert LIMIT / 2 < time.monotonic() - begun < LONG
    assert reply.model == "DUMMY"
    # Asked once: who takes no call in that time takes none in the next second.
    assert [each.error for each in invoker.attempts] == ["unreachable", ""]


async def test_handshake_that_nobody_answers_is_the_same(
    settings: Settings, silent: int, prefix: str
) -> None:
    site(settings, prefix, f"https://127.0.0.1:{silent}/v1")
    invoker = LLMConnect("FAR").invoker()
    invoker.connect.fallbacks = ()  # type: ignore[attr-defined]
    begun = time.monotonic()
    with pytest.raises(exceptions.Unreachable):
        await invoker.asend_message("Hi")
    assert time.monotonic() - begun < LONG
    assert len(invoker.attempts) == 1


async def test_answer_that_takes_longer_is_waited_for(settings: Settings) -> None:
    async def slow(exchange: Exchange) -> None:
        await asyncio.sleep(1.5)
        await SCRIPTS["good"](exchange)

    with FakeProvider({"good": slow}) as provider:
        site(settings, "openai/", provider.url, CONNECT_TIMEOUT=1.0)
        reply = await LLMConnect("FAR").invoker().asend_message("Hi")
    assert (reply.text, reply.model) == ("Hello world", "FAR")


def test_same_address_is_not_tried_again() -> None:
    assert pause(exceptions.Unreachable(), 1) is None
    assert pause(exceptions.Unavailable(), 1) is not None
