"""An invoker that says what it is told to, with the real interface, for tests."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from typing import Any

from polly_htmx.llm import exceptions
from polly_htmx.llm.base_invoker import BaseInvoker
from polly_htmx.llm.messages import (
    ChatMessage,
    Ending,
    ProviderEvent,
    Reasoning,
    Text,
    ToolCall,
    Usage,
    Waking,
)

DEFAULT_TEXT = "This is a scripted answer."

AT_ONCE: dict[str, Callable[[], exceptions.LLMError]] = {
    "context-too-long": exceptions.ContextTooLong,
    "not-authorised": exceptions.NotAuthorised,
    "not-configured": exceptions.NotConfigured,
    "rate-limited": lambda: exceptions.RateLimited(retry_after=7),
    "unavailable": exceptions.Unavailable,
}
"""Faults that come instead of an answer."""

ENDINGS: dict[str, str | None] = {
    "cut": None,
    "cut-word": None,
    "content-filter": "content_filter",
    "empty": "stop",
    "length": "length",
}
"""Faults that end an answer otherwise than with "stop"."""


class ScriptedInvoker(BaseInvoker):
    """
    Plays the script that lies in the connection's parameters.

    text: a string, said word by word, or a list of pieces
    answers: texts for the first question of a conversation, the second, and so on; the
        last one is said again and again
    reasoning: what is thought first: a string, or a list of pieces, as for text
    waking: seconds that the model takes to be loaded, which it says
    echo: answer with the user's message instead
    first: seconds before the first piece
    pace: seconds between two pieces
    tool_call: {"name": ..., "arguments": {...}}, asked for after the text
    asked: a list that is filled with the messages of each request
    fault: None, a key of AT_ONCE or ENDINGS, "hang" (nothing comes), "stall" (half of
        the answer, then nothing more), or "error" (half of it, then a failure). "cut"
        ends after half of the answer without a word, "cut-word" within one

    The deadlines and rules are those of every invoker. Use it for a model by
    POLLY["MODELS"][NAME]["backend"] = "polly_htmx.llm.scripted.ScriptedInvoker", or
    polly_htmx.testing for all models of a test.
    """

    async def provider_events(
        self, messages: list[ChatMessage]
    ) -> AsyncGenerator[ProviderEvent]:
        """See BaseInvoker."""
        script = self.connect.params
        fault = script.get("fault")
        script.get("asked", []).append([dict(message) for message in messages])
        if seconds := script.get("waking"):
            yield Waking()
            await asyncio.sleep(seconds)
        await _before(script.get("first", 0), fault)
        for thought in _pieces_of(script.get("reasoning", "")):
            yield Reasoning(thought)
            await asyncio.sleep(script.get("pace", 0))
        pieces = self._pieces(messages, fault)
        for piece in pieces:
            yield Text(piece)
            await asyncio.sleep(script.get("pace", 0))
        if fault == "stall":
            await _for_ever()
        if fault == "error":
            raise exceptions.Unavailable
        for event in _last_words(script.get("tool_call"), fault, len(pieces)):
            yield event

    def _pieces(self, messages: list[ChatMessage], fault: str | None) -> Sequence[str]:
        pieces = _pieces_of(self._text(messages))
        half = (len(pieces) + 1) // 2
        if fault == "empty":
            return []
        if fault == "cut-word":
            *whole, last = pieces[:half]
            return [*whole, last[: (len(last) + 1) // 2]]
        if fault in {"cut", "error", "stall"}:
            return pieces[:half]
        return list(pieces)

    def _text(self, messages: list[ChatMessage]) -> str | Sequence[str]:
        script = self.connect.params
        if script.get("echo"):
            echoed: str = messages[-1]["content"]
            return echoed
        if answers := script.get("answers"):
            questions = sum(message["role"] == "user" for message in messages)
            said: str = answers[min(questions, len(answers)) - 1]
            return said
        text: str | Sequence[str] = script.get(
            "text", "" if script.get("tool_call") else DEFAULT_TEXT
        )
        return text


def _last_words(
    call: Mapping[str, Any] | None, fault: str | None, pieces: int
) -> Iterator[ToolCall | Ending]:
    if call:
        arguments = json.dumps(call.get("arguments", {}))
        yield ToolCall(id="scripted", name=call["name"], arguments=arguments)
    yield Ending(
        finish_reason=ENDINGS.get(fault or "", "tool_calls" if call else "stop"),
        usage=Usage(input_tokens=0, output_tokens=pieces, exact=True),
    )


def _pieces_of(text: str | Sequence[str]) -> Sequence[str]:
    # Words with the space before them, as most models send them.
    return re.findall(r"\s*\S+|\s+$", text) if isinstance(text, str) else text


async def _before(seconds: float, fault: str | None) -> None:
    await asyncio.sleep(seconds)
    if fault in AT_ONCE:
        raise AT_ONCE[fault]()
    if fault == "hang":
        await _for_ever()


async def _for_ever() -> None:
    await asyncio.Event().wait()
