"""Turns litellm's chunks into our own events, and hears whether the provider ended."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any

from polly_htmx.llm.litellm_google import PROVIDERS, LastWord
from polly_htmx.llm.messages import ProviderEvent, Reasoning, Text
from polly_htmx.llm.tool_calls import ToolCalls

WITH_NAMES = "litellm.llms.anthropic.chat.handler"
"""litellm's reader of streams whose events have names, each in a line of its own."""


class Data:
    """Lines of a stream, without those that carry nothing: names, comments, empty ones."""

    def __init__(self, lines: AsyncIterator[str | bytes]) -> None:
        self._lines = lines

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Return this."""
        return self

    async def __anext__(self) -> str | bytes:
        """Return the next line of data, or whatever is no text."""
        async for line in self._lines:
            if not isinstance(line, str) or line.startswith("data:"):
                return line
        raise StopAsyncIteration


def _spare(answer: Any) -> None:
    """Spare litellm two of three lines: it takes each for a chunk to copy and check."""
    source: Any = getattr(answer, "completion_stream", None)
    if type(source).__module__ == WITH_NAMES:
        source.streaming_response = Data(source.streaming_response)


class Chunks:
    """Reads the chunks of one answer."""

    def __init__(self, *, mock: bool = False) -> None:
        self.mock = mock
        """Whether litellm's mock answers, which never gives a finish reason."""
        self.finish_reason: str | None = None
        self.usage: Any = None
        """What the provider counted, or litellm where it did not."""
        self.exact = False
        self.answered_by = ""
        """Always empty: litellm puts the name that was asked for in its place."""
        self.text: list[str] = []
        self.calls = ToolCalls()

    async def read(self, answer: Any) -> AsyncGenerator[ProviderEvent]:
        """Yield text and thoughts; raise what litellm does."""
        _spare(answer)
        google = LastWord() if answer.custom_llm_provider in PROVIDERS else None
        if google is not None:
            await google.listen(answer)
        async for chunk in answer:
            for event in self.events(chunk):
                yield event
        # litellm says "stop" at the end of every stream, also of one that was cut,
        # empty or a web page. Only this attribute is the provider's own word.
        told = answer.received_finish_reason is not None
        if not (google.is_heard if google else told or self.mock):
            self.finish_reason = None
        self.exact = any(getattr(chunk, "usage", None) for chunk in answer.chunks)

    def events(self, chunk: Any) -> Iterator[ProviderEvent]:
        """Yield what one chunk brings: often one event, sometimes none."""
        self.usage = getattr(chunk, "usage", None) or self.usage
        if not chunk.choices:
            return
        choice = chunk.choices[0]
        self.finish_reason = choice.finish_reason or self.finish_reason
        delta = choice.delta
        if thought := getattr(delta, "reasoning_content", None):
            yield Reasoning(thought)
        if delta.content:
            self.text.append(delta.content)
            yield Text(delta.content)
        for part in delta.tool_calls or ():
            self.calls.add(
                part.index,
                id=part.id or "",
                name=part.function.name or "",
                arguments=part.function.arguments or "",
            )
