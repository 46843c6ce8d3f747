"""Questions: one model is asked, with what fits into its window, within our deadlines."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from polly_htmx.llm import billing, window
from polly_htmx.llm.cleaning import clean
from polly_htmx.llm.failover import Candidate
from polly_htmx.llm.messages import ChatMessage, Ending, ProviderEvent, Waking
from polly_htmx.llm.pacing import paced

if TYPE_CHECKING:
    from polly_htmx.llm.base_invoker import BaseInvoker

Summarise = Callable[[Sequence[ChatMessage]], Awaitable[str]]
"""From the messages that don't fit to a text that stands for them, or ""."""


PLAIN = ("role", "content")
"""What a message has that is a text and nothing else."""


class Question:
    """The same message to one of the models that may answer it."""

    def __init__(
        self,
        invoker: BaseInvoker,
        messages: list[ChatMessage],
        *,
        end: float,
        kept: int = 0,
        summarise: Summarise | None = None,
    ) -> None:
        self.left_out = 0
        """Entries of the history that this model is not told."""
        self._invoker = invoker
        self._messages = messages
        self._end = end
        self._kept = kept
        self._summarise = summarise
        self._fitted: list[ChatMessage] | None = None
        model = invoker.connect.model
        self.candidate = Candidate(
            model.name, self._ask, size=_bytes_of(messages), priced=model
        )

    async def _ask(self) -> AsyncGenerator[ProviderEvent]:
        async with (
            aclosing(self._events()) as source,
            aclosing(paced(source, end=self._end)) as events,
        ):
            async for event in events:
                if isinstance(event, Ending):
                    yield billing.priced(event, self._invoker.connect.model)
                else:
                    yield event

    async def _events(self) -> AsyncGenerator[ProviderEvent]:
        if self._fitted is None:
            if self._needs_count and not await self._invoker.is_awake():
                yield Waking()
            self._fitted = alternating(await self._fit())
        async with aclosing(self._invoker.provider_events(self._fitted)) as events:
            async for event in events:
                yield event

    @property
    def _room(self) -> int:
        connect = self._invoker.connect
        return window.room_for(connect.model, connect.params)

    @property
    def _needs_count(self) -> bool:
        return sum(map(window.at_most, self._messages)) > self._room

    async def _fit(self) -> list[ChatMessage]:
        if not self._needs_count:
            return self._messages
        fitted = await self._counted(self._messages)
        self.left_out = len(fitted.left_out)
        if fitted.left_out and self._summarise is not None:
            text = clean(await self._summarise(fitted.left_out))
            if text:
                # Its own words take room too: a turn more may have to go.
                fitted = await self._counted(_with_summary(self._messages, text))
                self.left_out = len(fitted.left_out)
        self.candidate.size = _bytes_of(fitted.messages)
        return fitted.messages

    async def _counted(self, messages: list[ChatMessage]) -> window.Fitted:
        head, room = window.has_system(messages), self._room
        first = min(
            window.possible(messages, room, first=head), len(messages) - 1 - self._kept
        )
        never, messages = messages[head:first], messages[:head] + messages[first:]
        texts = ["\n".join(window.texts_of(message)) for message in messages]
        counts = await self._invoker.count_tokens(texts)
        sizes = [
            count + window.around(message)
            for count, message in zip(counts, messages, strict=True)
        ]
        fitted = window.fit(messages, sizes, room, kept=self._kept)
        return window.Fitted(fitted.messages, never + fitted.left_out)


def alternating(messages: list[ChatMessage]) -> list[ChatMessage]:
    """
    Return the messages with neighbours of one side made into one.

    After an answer that failed without a word two questions stand in a row, and the
    chat templates of several models refuse that.
    """
    entries: list[ChatMessage] = []
    for message in messages:
        if entries and _is_plain(entries[-1]) and _is_plain(message):
            last = entries[-1]
            if last["role"] == message["role"]:
                together = f"{last['content']}\n\n{message['content']}"
                entries[-1] = {**last, "content": together}
                continue
        entries.append(message)
    return entries


def _is_plain(message: ChatMessage) -> bool:
    """Return whether a message is a text of one side, and nothing besides."""
    is_text = isinstance(message["content"], str) and len(message) == len(PLAIN)
    return is_text and message["role"] in {"user", "assistant"}


def _with_summary(messages: list[ChatMessage], text: str) -> list[ChatMessage]:
    """Return the messages with a summary of what is left out in the system prompt."""
    head = window.has_system(messages)
    prompt = f"{messages[0]['content']}\n\n{text}" if head else text
    return [{"role": "system", "content": prompt}, *messages[head:]]


def _bytes_of(messages: list[ChatMessage]) -> int:
    return sum(len(str(message["content"]).encode()) for message in messages)
