"""How two kinds of hosted models write an answer on the wire, in chunks of HTTP."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any

ASKED = 9
"""Tokens of any question."""


class Wire(ABC):
    """The bytes of an answer, piece by piece."""

    @abstractmethod
    def begin(self) -> bytes:
        """Return what comes before the first word."""

    @abstractmethod
    def say(self, text: str) -> bytes:
        """Return a piece of the text."""

    @abstractmethod
    def end(self, written: int) -> bytes:
        """Return the last words, with how many pieces there were."""


class OpenAI(Wire):
    """Chunks of a chat completion."""

    def begin(self) -> bytes:
        """See Wire."""
        return _event(_chunk({"role": "assistant", "content": ""}))

    def say(self, text: str) -> bytes:
        """See Wire."""
        return _event(_chunk({"content": text}))

    def end(self, written: int) -> bytes:
        """See Wire."""
        usage = {"prompt_tokens": ASKED, "completion_tokens": written}
        usage["total_tokens"] = sum(usage.values())
        told = _event({**_chunk({}), "choices": [], "usage": usage})
        return _event(_chunk({}, "stop")) + told + framed(b"data: [DONE]\n\n")


class Anthropic(Wire):
    """Events with names."""

    def begin(self) -> bytes:
        """See Wire."""
        message: dict[str, Any] = {
            "id": "msg_mock",
            "type": "message",
            "role": "assistant",
            "content": [],
            "model": "claude-haiku-4-5",
            "stop_reason": None,
            "usage": {"input_tokens": ASKED, "output_tokens": 1},
        }
        block = {"type": "text", "text": ""}
        opened = _named("content_block_start", index=0, content_block=block)
        return _named("message_start", message=message) + opened

    def say(self, text: str) -> bytes:
        """See Wire."""
        delta = {"type": "text_delta", "text": text}
        return _named("content_block_delta", index=0, delta=delta)

    def end(self, written: int) -> bytes:
        """See Wire."""
        stop = {"stop_reason": "end_turn", "stop_sequence": None}
        usage = {"output_tokens": written}
        return (
            _named("content_block_stop", index=0)
            + _named("message_delta", delta=stop, usage=usage)
            + _named("message_stop")
        )


def framed(data: bytes) -> bytes:
    """Return a chunk of HTTP."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def _chunk(delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-mock",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "mock",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def _event(data: dict[str, Any]) -> bytes:
    return framed(f"data: {json.dumps(data)}\n\n".encode())


def _named(name: str, **fields: Any) -> bytes:
    data = json.dumps({"type": name, **fields})
    return framed(f"event: {name}\ndata: {data}\n\n".encode())
