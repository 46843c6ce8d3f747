"""An invoker that says what it is told to, with the real interface, for tests."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Sequence

from polly_htmx.llm import exceptions
from polly_htmx.llm.base_invoker import BaseInvoker
from polly_htmx.llm.messages import (
    ChatMessage,
    Ending,
    ProviderEvent,
    Reasoning,
    Text,
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
    "content-filter": "content_filter",
    "empty": "stop",
    "length": "length",
}
"""Faults that end an answer otherwise than with "stop"."""


class ScriptedInvoker(BaseInvoker):
    """
    Plays the script that lies in the connection's parameters.

    text: a string, said word by word, or a list of pieces
    reasoning: what is thought first: a string, or a list of pieces, as for text
    waking: seconds that the model takes to be loaded, which it says
    echo: answer with the user's message instead
    first: seconds before the first piece
    pace: seconds between two pieces
    fault: None, a key of AT_ONCE or ENDINGS, "hang" (nothing comes), "stall" (half of
        the answer, then nothing more), or "error" (half of it, then a failure)

    The deadlines and rules are those of every invoker. Use it for a model by
    POLLY["MODELS"][NAME]["backend"] = "polly_htmx.llm.scripted.ScriptedInvoker".
    """

    async def provider_events(
        self, messages: list[ChatMessage]
    ) -> AsyncGenerator[ProviderEvent]:
        """See BaseInvoker."""
        script = self.connect.params
        fault = script.get("fault")
        if seconds := script.get("waking"):
            yield Waking()
            await asyncio.sleep(seconds)
        await asyncio.sleep(script.get("first", 0))
        if fault in AT_ONCE:
            raise AT_ONCE[fault]()
        if fault == "hang":
            await _for_ever()
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
        yield Ending(
            finish_reason=ENDINGS.get(fault or "", "stop"),
            usage=Usage(input_tokens=0, output_tokens=len(pieces), exact=True),
        )

    def _pieces(self, messages: list[ChatMessage], fault: str | None) -> Sequence[str]:
        text = self.connect.params.get("text", DEFAULT_TEXT)
        if self.connect.params.get("echo"):
            text = messages[-1]["content"]
        pieces = _pieces_of(text)
        if fault == "empty":
            return []
        if fault in {"cut", "error", "stall"}:
            return pieces[: (len(pieces) + 1) // 2]
        return list(pieces)


def _pieces_of(text: str | Sequence[str]) -> Sequence[str]:
    # Words with the space before them, as most models send them.
    return re.findall(r"\s*\S+|\s+$", text) if isinstance(text, str) else text


async def _for_ever() -> None:
    await asyncio.Event().wait()
