"""Deltas: reads OpenAI's stream of chat completions off the wire, as most speak it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

from polly_htmx.llm.gathering import gathered
from polly_htmx.llm.messages import ProviderEvent, Reasoning, Text
from polly_htmx.llm.sse import EventStream
from polly_htmx.llm.tool_calls import ToolCalls

if TYPE_CHECKING:
    import httpx

DONE = b"[DONE]"
LAST_WORDS = 0.05
"""Seconds for the end of the body after the answer's. A body that was read to its end
leaves its connection to the next question, which then needs no handshake."""


class ErrorInStream(Exception):
    """The provider ended its answer by an error, whose words are in here: not for eyes."""

    def __init__(self, error: Any) -> None:
        said = _mapping(error)
        self.message = _string(said.get("message") or error)
        self.code = said.get("code")
        super().__init__(self.message)


class Deltas:
    """Gathers what the chunks of one answer say."""

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self.usage: Mapping[str, Any] | None = None
        """What the provider counted, in its own words."""
        self.answered_by = ""
        self.text: list[str] = []
        self.calls = ToolCalls()
        self._is_done = False

    async def read(self, response: httpx.Response) -> AsyncGenerator[ProviderEvent]:
        """Yield text and thoughts; raise ErrorInStream, or what httpx and json do."""
        stream = EventStream()
        encoded = response.headers.get("content-encoding", "identity") != "identity"
        pieces = response.aiter_bytes() if encoded else response.aiter_raw()
        async with aclosing(pieces):  # type: ignore[type-var]
            with gathered(response):
                async for piece in pieces:
                    for event in joined(self._heard(stream.feed(piece))):
                        yield event
                    if self._is_done:
                        break
            await _read_out(pieces)

    def _heard(self, parts: Iterable[bytes]) -> Iterator[ProviderEvent]:
        for data in parts:
            if data.startswith(DONE):
                self._is_done = True
                return
            yield from self.events(json.loads(data.decode()))

    def events(self, chunk: Any) -> Iterator[ProviderEvent]:
        """Yield what one chunk brings: often one event, sometimes none."""
        if not isinstance(chunk, dict):
            return
        if error := chunk.get("error"):
            raise ErrorInStream(error)
        self.usage = _mapping(chunk.get("usage")) or self.usage
        if model := _string(chunk.get("model")):
            self.answered_by = model
        choice = _mapping(_first(chunk.get("choices")))
        self.finish_reason = _string(choice.get("finish_reason")) or self.finish_reason
        delta = _mapping(choice.get("delta"))
        # Both names are about; the second one's makers also send the first as null.
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if text := _string(thought):
            yield Reasoning(text)
        if text := _string(delta.get("content")):
            self.text.append(text)
            yield Text(text)
        for part in delta.get("tool_calls") or ():
            self._add(_mapping(part))

    def _add(self, part: Mapping[str, Any]) -> None:
        function = _mapping(part.get("function"))
        self.calls.add(
            part.get("index") or 0,
            id=_string(part.get("id")),
            name=_string(function.get("name")),
            arguments=_string(function.get("arguments")),
        )


def joined(events: Iterable[ProviderEvent]) -> Iterator[ProviderEvent]:
    """Make one of texts that follow each other, for each goes a long way from here."""
    texts: list[str] = []
    fault = None
    try:
        for event in events:
            if isinstance(event, Text):
                texts.append(event.text)
                continue
            if texts:
                yield Text("".join(texts))
                texts = []
            yield event
    except Exception as exc:  # noqa: BLE001  (what came before it is told before it)
        fault = exc
    if texts:
        yield Text("".join(texts))
    if fault is not None:
        raise fault


async def _read_out(pieces: AsyncGenerator[bytes] | Any) -> None:
    with suppress(Exception):  # The answer is whole, whatever its connection does.
        async with asyncio.timeout(LAST_WORDS):
            async for _piece in pieces:
                pass


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
