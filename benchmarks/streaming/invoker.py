"""An invoker that plays the provider's answers inside of the server's process."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from benchmarks.streaming.texts import play, read
from polly_htmx.llm.messages import ChatMessage, Ending, ProviderEvent, Text, Usage
from polly_htmx.llm.scripted import ScriptedInvoker


class PlayingInvoker(ScriptedInvoker):
    """A ScriptedInvoker whose script lies in the message."""

    async def provider_events(
        self, messages: list[ChatMessage]
    ) -> AsyncGenerator[ProviderEvent]:
        """See BaseInvoker."""
        written = 0
        async with aclosing(play(read(messages[-1]["content"]))) as pieces:
            async for piece in pieces:
                yield Text(piece)
                written += 1
        usage = Usage(input_tokens=9, output_tokens=written, exact=True)
        yield Ending(finish_reason="stop", usage=usage)
