"""Waking: told before the answer, and no part of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

import pytest

from polly_htmx.llm import (
    BaseInvoker,
    Finished,
    LLMConnect,
    Text,
    Waking,
    exceptions,
)
from polly_htmx.llm.messages import ChatMessage, Ending, ProviderEvent

Deadlines = Callable[..., None]


class Sleepy(BaseInvoker):
    """Wakes up, and then answers, or not."""

    async def provider_events(
        self, messages: list[ChatMessage]
    ) -> AsyncGenerator[ProviderEvent]:
        """See BaseInvoker."""
        yield Waking()
        if self.connect.params.get("sleeps_on"):
            await asyncio.Event().wait()
        yield Text("Hello")
        yield Ending(finish_reason="stop")


async def test_waking_is_passed_on_and_no_part_of_the_answer() -> None:
    invoker = Sleepy(LLMConnect("DUMMY"))
    events = [event async for event in invoker.astream_events("Hi")]
    assert events[:2] == [Waking(), Text("Hello")]
    assert isinstance(events[2], Finished)
    assert events[2].reply.text == "Hello"


async def test_waking_does_not_end_the_wait_for_the_first_piece(
    deadlines: Deadlines,
) -> None:
    deadlines(FIRST_TOKEN_TIMEOUT=0.05, GAP_TIMEOUT=60, RETRIES=0)
    invoker = Sleepy(LLMConnect("DUMMY", sleeps_on=True))
    with pytest.raises(exceptions.TimedOut, match="first piece"):
        await invoker.asend_message("Hi")
    assert not invoker.attempts[-1].has_spoken
