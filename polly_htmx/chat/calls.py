"""Calls: writes down what each call to a model took, in the transaction of its end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from polly_htmx.llm.attempts import Attempt
from polly_htmx.models import Message, ModelCall


def calls_for(reply: Message, attempts: Iterable[Attempt]) -> list[ModelCall]:
    """Return the rows, not yet saved, of the calls that a reply was made of."""
    rows = [ModelCall.of(attempt, **_about(reply)) for attempt in attempts]
    for row in rows:
        row.keep(reply.reserved_tokens, reply.reserved_cost)
    return rows


def title_calls(reply: Message, attempts: Iterable[Attempt]) -> list[ModelCall]:
    """Return the rows of the calls by which a reply's chat got its title. They are no
    part of what the reply took, so they belong to the person alone."""
    about = {**_about(reply), "purpose": ModelCall.Purpose.TITLE, "reply": None}
    return [ModelCall.of(attempt, **about) for attempt in attempts]


def lost_call(reply: Message) -> ModelCall:
    """Return the row of a call whose process died, so that nobody knows the figures."""
    row = ModelCall(
        model=reply.version.model if reply.version else "",
        error=reply.error,
        exactness=ModelCall.Exactness.UNKNOWN,
        **_about(reply),
    )
    row.keep(reply.reserved_tokens, reply.reserved_cost)
    return row


def _about(reply: Message) -> dict[str, Any]:
    """Return what a call was for, and whose it was."""
    conversation = reply.conversation
    return {
        "purpose": ModelCall.Purpose.REPLY,
        "reply": reply,
        "version_id": reply.version_id,
        "user_id": conversation.user_id,
        "visitor": conversation.visitor,
    }
