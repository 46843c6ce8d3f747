"""Tool calls: put together from the pieces in which a stream brings them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from polly_htmx.llm.messages import ToolCall


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: str = ""


class ToolCalls:
    """The calls of one answer, by their places in it."""

    def __init__(self) -> None:
        self._calls: dict[int, _Call] = {}

    def add(self, place: int, *, id: str, name: str, arguments: str) -> None:  # noqa: A002
        """Take a piece: id and name come once, the arguments in any number of pieces."""
        call = self._calls.setdefault(place, _Call())
        call.id = id or call.id
        call.name = name or call.name
        call.arguments += arguments

    def __iter__(self) -> Iterator[ToolCall]:
        """Yield the calls; they are whole when the stream has ended."""
        for call in self._calls.values():
            yield ToolCall(id=call.id, name=call.name, arguments=call.arguments)
