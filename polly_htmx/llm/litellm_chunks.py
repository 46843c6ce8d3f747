"""Turns litellm's chunks into our own events, and hears whether the provider ended."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from polly_htmx.llm.messages import (
    Ending,
    ProviderEvent,
    Reasoning,
    Text,
    ToolCall,
    Usage,
)


class Chunks:
    """Reads the chunks of one answer."""

    def __init__(self, model: str, *, mock: bool = False, free: bool = False) -> None:
        self.model = model
        self.mock = mock
        """Whether litellm's mock answers, which never gives a finish reason."""
        self.free = free
        self.finish_reason: str | None = None
        self.usage: Any = None
        self.calls: dict[int, dict[str, str]] = {}

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
            yield Text(delta.content)
        for part in delta.tool_calls or ():
            self._add(part)

    def ending(self, answer: Any, litellm: Any) -> Iterator[ProviderEvent]:
        """Yield the tool calls, whole by now, and how the answer ended."""
        for call in self.calls.values():
            yield ToolCall(**call)
        # litellm says "stop" at the end of every stream, also of one that was cut,
        # empty or a web page. Only this attribute is the provider's own word.
        said = answer.received_finish_reason is not None or self.mock
        exact = any(getattr(chunk, "usage", None) for chunk in answer.chunks)
        yield Ending(
            finish_reason=self.finish_reason if said else None,
            usage=self._usage(exact=exact),
            cost=self._cost(litellm),
        )

    def _add(self, part: Any) -> None:
        # The name and id come once, the arguments in any number of pieces.
        call = self.calls.setdefault(
            part.index, {"id": "", "name": "", "arguments": ""}
        )
        call["id"] = part.id or call["id"]
        call["name"] = part.function.name or call["name"]
        call["arguments"] += part.function.arguments or ""

    def _usage(self, *, exact: bool) -> Usage | None:
        if self.usage is None:
            return None
        return Usage(
            input_tokens=self.usage.prompt_tokens or 0,
            output_tokens=self.usage.completion_tokens or 0,
            exact=exact,
        )

    def _cost(self, litellm: Any) -> Decimal | None:
        if self.free:
            return Decimal(0)
        if self.usage is None:
            return None
        try:
            parts = litellm.cost_per_token(model=self.model, usage_object=self.usage)
        except Exception:  # noqa: BLE001  raises all sorts for a model without a price
            return None
        return sum((Decimal(str(part)) for part in parts), Decimal(0))
