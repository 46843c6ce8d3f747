"""Summaries: what the hooks make of the messages that don't fit into the window."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from polly_htmx.exceptions import PollyError
from polly_htmx.hooks.chain import asked_of, pass_summary
from polly_htmx.llm.messages import ChatMessage
from polly_htmx.models import Message

Summarise = Callable[[Sequence[ChatMessage]], Awaitable[str]]


def summariser(reply: Message) -> Summarise | None:
    """Return what sums up the messages left out for a reply; None without such hooks."""
    methods = asked_of("summary")
    if not methods:
        return None

    async def summarise(left_out: Sequence[ChatMessage]) -> str:
        text = ""
        try:
            for method in methods:
                text = await pass_summary(method, text, left_out=left_out, reply=reply)
        except PollyError:
            return ""  # Logged. An answer without a summary is better than none.
        return text

    return summarise
