"""The streams of providers that don't speak OpenAI's format, as they send them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.fake_provider import Exchange, Script

PIECES = ("Parrots ", "eat n", "üts.")
THOUGHT = "Nuts or seeds?"
TOOL = {"name": "feed", "arguments": {"what": "nuts"}}
Event = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Format:
    """How one provider says what all say."""

    model: str
    """The id for litellm."""
    path: str
    """Where it is asked."""
    key: str
    """The header that carries the key."""
    text: Callable[[], list[Event]]
    end: Callable[[str], list[Event]]
    """What comes last; takes "stop" or "length"."""
    tool: Callable[[], list[Event]]
    thought: Callable[[], list[Event]]
    framed: Callable[[Event], str]
    content_type: str = "text/event-stream"


def played(form: Format, *parts: Iterable[Event]) -> Script:
    """Return a script that sends these events in odd pieces."""
    data = "".join(form.framed(event) for part in parts for event in part).encode()

    async def play(exchange: Exchange) -> None:
        await exchange.head(content_type=form.content_type)
        for start in range(0, len(data), 61):
            await exchange.raw(data[start : start + 61])

    return play


# Anthropic


def _block(index: int, block: Event, deltas: Iterable[Event]) -> list[Event]:
    return [
        {"type": "content_block_start", "index": index, "content_block": block},
        {"type": "ping"},
        *(
            {"type": "content_block_delta", "index": index, "delta": delta}
            for delta in deltas
        ),
        {"type": "content_block_stop", "index": index},
    ]


def _begin() -> Event:
    message: Event = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": 7, "output_tokens": 1},
    }
    return {"type": "message_start", "message": message}


def _anthropic_end(reason: str) -> list[Event]:
    said = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
    delta = {"stop_reason": said[reason], "stop_sequence": None}
    return [
        {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 4}},
        {"type": "message_stop"},
    ]


ANTHROPIC = Format(
    model="anthropic/claude-haiku-4-5",
    path="/v1/messages",
    key="x-api-key",
    text=lambda: [
        _begin(),
        *_block(
            0,
            {"type": "text", "text": ""},
            [{"type": "text_delta", "text": piece} for piece in PIECES],
        ),
    ],
    thought=lambda: [
        _begin(),
        *_block(
            0,
            {"type": "thinking", "thinking": ""},
            [
                {"type": "thinking_delta", "thinking": THOUGHT},
                {"type": "signature_delta", "signature": "c2ln"},
            ],
        ),
    ],
    tool=lambda: [
        _begin(),
        *_block(
            0,
            {"type": "tool_use", "id": "toolu_1", "name": TOOL["name"], "input": {}},
            [
                {"type": "input_json_delta", "partial_json": piece}
                for piece in ('{"what": ', '"nuts"}')
            ],
        ),
    ],
    end=_anthropic_end,
    framed=lambda event: f"event: {event['type']}\ndata: {json.dumps(event)}\n\n",
)

# Ollama


def _ollama(message: Event, **rest: Any) -> Event:
    whole = {"role": "assistant", "content": "", **message}
    about = {"model": "qwen3", "created_at": "2026-11-01T00:00:00Z", "done": False}
    return {**about, "message": whole, **rest}


OLLAMA = Format(
    model="ollama_chat/qwen3",
    path="/api/chat",
    key="authorization",
    content_type="application/x-ndjson",
    text=lambda: [_ollama({"content": piece}) for piece in PIECES],
    thought=lambda: [_ollama({"thinking": THOUGHT})],
    tool=lambda: [_ollama({"tool_calls": [{"function": TOOL}]})],
    end=lambda reason: [
        _ollama(
            {},
            done=True,
            done_reason="length" if reason == "length" else "stop",
            total_duration=1,
            prompt_eval_count=7,
            eval_count=4,
        )
    ],
    framed=lambda event: json.dumps(event) + "\n",
)

# Google


def _google(part: Event | None, reason: str | None = None) -> Event:
    content = {"role": "model", "parts": [] if part is None else [part]}
    candidate: Event = {"content": content, "index": 0}
    if reason:
        candidate["finishReason"] = reason
    figures = {"promptTokenCount": 7, "candidatesTokenCount": 4, "totalTokenCount": 11}
    return {"candidates": [candidate], "usageMetadata": figures, "modelVersion": "g"}


GOOGLE = Format(
    model="gemini/gemini-3.5-flash",
    path="/models/gemini-3.5-flash:streamGenerateContent?alt=sse",
    key="x-goog-api-key",
    text=lambda: [_google({"text": piece}) for piece in PIECES],
    thought=lambda: [_google({"text": THOUGHT, "thought": True})],
    tool=lambda: [
        _google({"functionCall": {"name": TOOL["name"], "args": TOOL["arguments"]}})
    ],
    end=lambda reason: [
        _google({"text": ""}, "MAX_TOKENS" if reason == "length" else "STOP")
    ],
    framed=lambda event: f"data: {json.dumps(event)}\r\n\r\n",
)

FORMATS = {"anthropic": ANTHROPIC, "google": GOOGLE, "ollama": OLLAMA}
