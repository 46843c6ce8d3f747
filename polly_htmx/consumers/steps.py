"""Steps: what events and rows bring to a page, as the fragments take it."""

from __future__ import annotations

from typing import Any

from polly_htmx.chat.events import ReplyEnded, ReplyGrew, ReplySoFar
from polly_htmx.fragments import Prelude
from polly_htmx.models import Message

UNREAD = " "
"""Stands for a text that the page shows, and of which the row was not read again."""


def whole(event: ReplyGrew | ReplySoFar) -> dict[str, Any]:
    """Return a running reply as an event tells it, which must be all there is."""
    # Who is told that it has grown, and has no word of it, has been told of its turn.
    is_there = isinstance(event, ReplyGrew)
    thoughts = event.thought if isinstance(event, ReplyGrew) else event.thoughts
    # Of a run that has told nothing yet there is nothing new to say.
    phase = event.phase if event.number else None
    prelude = Prelude(thoughts=thoughts, phase=phase, is_there=is_there)
    return {"closed": event.closed, "tail": event.tail or "", "prelude": prelude}


def stored(reply: Message) -> dict[str, Any]:
    """Return a running reply as its row has it."""
    return {"closed": str(reply.html), "tail": "", "prelude": Prelude.of(reply)}


def last(event: ReplyEnded) -> dict[str, Any]:
    """Return what a page in step lacks at a reply's end."""
    names = "closed", "thought", "was_thinking"
    return {name: getattr(event, name) for name in names}


def end(reply: Message, event: ReplyEnded) -> None:
    """Let a reply end as an event says, which does not carry the text again."""
    if not event.is_empty:
        # What may be done with an answer depends on whether there is any.
        reply.content = reply.content or UNREAD
    reply.status, reply.error = event.status, event.error
    reply.finish_reason, reply.answered_by = event.finish_reason, event.answered_by
    reply.left_out, reply.thought_seconds = event.left_out, event.thought_seconds
