"""Lines that carry nothing are kept from litellm, which makes nothing of them."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest

from polly_htmx.llm import litellm_chunks, litellm_port
from polly_htmx.llm.exceptions import LLMError
from polly_htmx.llm.messages import Ending, Reasoning, Text, ToolCall
from tests.fake_provider import Exchange, FakeProvider
from tests.llm.conftest import CANARY

USAGE = {"input_tokens": 9, "output_tokens": 1}
BEGIN: dict[str, Any] = {
    "type": "message_start",
    "message": {
        "id": "msg_fake",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": "claude-fake",
        "stop_reason": None,
        "usage": USAGE,
    },
}
TOOL = {"type": "tool_use", "id": "call_1", "name": "weather", "input": {}}
END = [
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 7},
    },
    {"type": "message_stop"},
]


def block(number: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[Any]:
    """Return the events of one block of an answer."""
    begin = {"type": "content_block_start", "index": number, "content_block": start}
    grow = [
        {"type": "content_block_delta", "index": number, "delta": delta}
        for delta in deltas
    ]
    return [begin, *grow, {"type": "content_block_stop", "index": number}]


THOUGHTS = block(
    0,
    {"type": "thinking", "thinking": "", "signature": ""},
    {"type": "thinking_delta", "thinking": "Hm. "},
    {"type": "signature_delta", "signature": "s"},
)
TEXT = block(
    1,
    {"type": "text", "text": ""},
    {"type": "text_delta", "text": "Hello "},
    {"type": "text_delta", "text": "data: world"},
)
CALL = block(
    2,
    TOOL,
    {"type": "input_json_delta", "partial_json": '{"city": '},
    {"type": "input_json_delta", "partial_json": '"Rome"}'},
)
ERROR = {"type": "error", "error": {"type": "overloaded_error", "message": "No"}}
STREAMS: dict[str, list[Any]] = {
    "text": [BEGIN, *TEXT, *END],
    "thoughts": [BEGIN, *THOUGHTS, *TEXT, *END],
    "tool": [BEGIN, *TEXT, *CALL, *END],
    "cut": [BEGIN, *TEXT],
    "error": [BEGIN, ERROR],
    "late-error": [BEGIN, *TEXT, ERROR],
    "nothing": [],
}


def call_to(provider: FakeProvider) -> litellm_port.Call:
    """Return a question."""
    return litellm_port.Call(
        model="anthropic/claude-fake",
        messages=[{"role": "user", "content": "Hi"}],
        timeout=30,
        api_base=provider.url.removesuffix("/v1"),
        api_key=CANARY,
    )


async def ask(provider: FakeProvider) -> tuple[list[Any], type[LLMError] | None]:
    """Return what comes of a question, and the problem."""
    found: list[Any] = []
    try:
        async with aclosing(litellm_port.stream(call_to(provider))) as events:
            async for event in events:
                found.append(event)
    except LLMError as exc:
        return found, type(exc)
    return found, None


@pytest.fixture
def played(provider: FakeProvider, request: pytest.FixtureRequest) -> FakeProvider:
    """Return the provider with one of STREAMS, and what may stand between its events."""

    async def play(exchange: Exchange) -> None:
        await exchange.head()
        for event in STREAMS[request.param]:
            lines = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
            await exchange.raw(f": no data\n{lines}event: ping\n\n".encode())

    provider.scripts["claude-fake"] = play
    return provider


@pytest.mark.parametrize("played", STREAMS, indirect=True)
async def test_stream_with_names_is_read_as_litellm_reads_all_of_it(
    played: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = await ask(played)
    monkeypatch.setattr(litellm_chunks, "WITH_NAMES", "")
    assert ours == await ask(played)


@pytest.mark.parametrize("played", ["tool"], indirect=True)
async def test_stream_with_names_is_read_whole(played: FakeProvider) -> None:
    found, problem = await ask(played)
    assert problem is None
    assert [event for event in found if not isinstance(event, Ending)] == [
        Text("Hello "),
        Text("data: world"),
        ToolCall(id="call_1", name="weather", arguments='{"city": "Rome"}'),
    ]
    assert found[-1].finish_reason == "stop"
    assert found[-1].usage.output_tokens == 7


@pytest.mark.parametrize("played", ["thoughts"], indirect=True)
async def test_thoughts_come_apart(played: FakeProvider) -> None:
    found, _problem = await ask(played)
    assert found[0] == Reasoning("Hm. ")


async def test_lines_of_another_kind_pass() -> None:
    async def lines() -> Any:
        for line in ["event: x", "", "data: 1", b"event: y", ": hm", "data:2"]:
            yield line

    found = [line async for line in litellm_chunks.Data(lines())]
    assert found == ["data: 1", b"event: y", "data:2"]


async def test_connection_closes_when_the_stream_is_closed(
    provider: FakeProvider,
) -> None:
    async def drip(exchange: Exchange) -> None:
        await exchange.head()
        for event in [BEGIN, *TEXT[:1]]:
            await exchange.data(event)
        while not exchange.closed.is_set():
            await exchange.data(TEXT[1])
            await asyncio.sleep(0.01)

    provider.scripts["claude-fake"] = drip
    async with aclosing(litellm_port.stream(call_to(provider))) as events:
        async for _event in events:
            break
    assert await asyncio.to_thread(provider.last.closed.wait, 30)
