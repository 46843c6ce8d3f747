"""What all invokers share: history, deadlines, the completion rule, sync and async."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Generator, Iterable, Sequence
from contextlib import aclosing
from typing import Any, Protocol

from polly_htmx.conf import conf
from polly_htmx.llm import bridge, exceptions, litellm_port
from polly_htmx.llm.attempts import Attempt
from polly_htmx.llm.cleaning import clean
from polly_htmx.llm.draft import Draft
from polly_htmx.llm.failover import Failover
from polly_htmx.llm.messages import (
    ChatMessage,
    Content,
    Event,
    Finished,
    ProviderEvent,
    Reply,
    Text,
)
from polly_htmx.llm.model_type import Model
from polly_htmx.llm.question import Question, Summarise


class Connection(Protocol):
    """What an invoker needs to know: LLMConnect has it."""

    model: Model
    system_prompt: str
    params: dict[str, Any]

    def stand_ins(self) -> list[BaseInvoker]:
        """Return invokers of the models that answer where this one can't."""


class BaseInvoker(ABC):
    """
    One conversation over one connection.

    A finished exchange is added to ``history``, so the next message carries it.
    One exchange at a time. Who stops early closes the stream (``aclose()``, or
    ``contextlib.aclosing``): that ends the provider's work at once.
    """

    def __init__(
        self, connect: Connection, history: Iterable[ChatMessage] = ()
    ) -> None:
        self.connect = connect
        self.history: list[ChatMessage] = [dict(message) for message in history]
        self.attempts: Sequence[Attempt] = ()
        """The calls that the last message took, in order, also the failed ones."""
        self.kept = 0
        """How many of the newest entries of the history always go with the message."""
        self.summarise: Summarise | None = None
        """Makes a text of what doesn't fit, for the system prompt."""
        self._draft: Draft | None = None
        self._questions: list[Question] = []

    @abstractmethod
    def provider_events(
        self, messages: list[ChatMessage]
    ) -> AsyncGenerator[ProviderEvent]:
        """
        Yield what the model says to these messages, and at last an Ending.

        Raises only LLMError. Must let go of the provider when it is closed.
        """

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens the model makes of each text, or not much less."""
        model = self.connect.model.litellm_model
        return await asyncio.to_thread(litellm_port.count_tokens, model, texts)

    async def is_awake(self) -> bool:
        """Return whether the model can count and answer without being loaded first."""
        return True

    @property
    def left_out(self) -> int:
        """Return how many entries of the history the last model was not told."""
        asked = self.attempts[-1].model if self.attempts else ""
        found = (each for each in self._questions if each.candidate.model == asked)
        question = next(found, None)
        return question.left_out if question else 0

    @property
    def reply(self) -> Reply | None:
        """Return the answer so far, also after a stop or a failure."""
        return self._draft.reply if self._draft else None

    async def astream_events(self, message: Content) -> AsyncGenerator[Event]:
        """Send a message and yield what comes: the last event is Finished."""
        draft = self._draft = Draft(self.connect.model.name)
        asked = {"role": "user", "content": _sendable(message)}
        questions = self._questions = self._ask_each(self._request(asked))
        failover = Failover([question.candidate for question in questions])
        self.attempts = failover.attempts
        problem: exceptions.LLMError | None = None
        try:
            async with aclosing(failover.events()) as events:
                async for event in events:
                    for taken in draft.take(event):
                        yield taken
                    if draft.full:
                        break
        except exceptions.LLMError as exc:
            problem = draft.worded(exc)
        if problem is not None:
            # Here, not in the handler: there it would carry the other along.
            raise problem
        draft.model = self.attempts[-1].model
        reply = draft.complete()
        self.history += [asked, {"role": "assistant", "content": reply.text}]
        yield Finished(reply)

    async def astream_message(self, message: Content) -> AsyncGenerator[str]:
        """Send a message and yield the pieces of the answer's text."""
        async with aclosing(self.astream_events(message)) as events:
            async for event in events:
                if isinstance(event, Text):
                    yield event.text

    async def asend_message(self, message: Content) -> Reply:
        """Send a message and return the whole answer."""
        reply = Reply()
        async with aclosing(self.astream_events(message)) as events:
            async for event in events:
                if isinstance(event, Finished):
                    reply = event.reply
        return reply

    def send_message(self, message: Content) -> Reply:
        """See asend_message()."""
        return bridge.run(self.asend_message, message)

    def stream_message(self, message: Content) -> Generator[str]:
        """See astream_message()."""
        return bridge.iterate(self.astream_message(message))

    def _ask_each(self, messages: list[ChatMessage]) -> list[Question]:
        end = time.monotonic() + conf.REPLY_MAX_SECONDS
        return [
            Question(
                invoker, messages, end=end, kept=self.kept, summarise=self.summarise
            )
            for invoker in (self, *self.connect.stand_ins())
        ]

    def _request(self, asked: ChatMessage) -> list[ChatMessage]:
        prompt = clean(self.connect.system_prompt)
        system = [{"role": "system", "content": prompt}] if prompt else []
        return [*system, *self.history, asked]


def _sendable(content: Content) -> Content:
    if isinstance(content, str):
        return clean(content)
    return [
        {**part, "text": clean(part["text"])} if "text" in part else dict(part)
        for part in content
    ]
