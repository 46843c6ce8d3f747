"""Calls: writes down what each call to a model took, in the transaction of its end."""

from __future__ import annotations

from collections.abc import Iterable

from polly_htmx.llm.attempts import Attempt
from polly_htmx.models import Message, ModelCall
from polly_htmx.models.calls import PROVIDER_MODEL_CHARS


def calls_for(reply: Message, attempts: Iterable[Attempt]) -> list[ModelCall]:
    """Return the rows, not yet saved, of the calls that a reply was made of."""
    return [
        _filled(_row(reply, attempt.model, attempt.error), attempt)
        for attempt in attempts
    ]


def lost_call(reply: Message) -> ModelCall:
    """Return the row of a call whose process died, so that nobody knows the figures."""
    return _row(reply, reply.version.model if reply.version else "", reply.error)


def _row(reply: Message, model: str, error: str) -> ModelCall:
    """Return a row of which nothing is known but what it was for."""
    conversation = reply.conversation
    return ModelCall(
        purpose=ModelCall.Purpose.REPLY,
        reply=reply,
        version_id=reply.version_id,
        user_id=conversation.user_id,
        visitor=conversation.visitor,
        model=model,
        error=error,
        exactness=ModelCall.Exactness.UNKNOWN,
    )


def _filled(row: ModelCall, attempt: Attempt) -> ModelCall:
    """Return the row with the figures of its call, as far as they are known."""
    usage, ending = attempt.usage, attempt.ending
    row.first_token, row.seconds = attempt.first, attempt.seconds
    if ending is not None:
        row.answered_by = ending.answered_by[:PROVIDER_MODEL_CHARS]
        row.cost = ending.cost
    if usage is not None:
        exactness = ModelCall.Exactness
        row.exactness = exactness.EXACT if usage.exact else exactness.ESTIMATED
        row.input_tokens = usage.input_tokens
        row.output_tokens = usage.output_tokens
        row.cached_tokens = usage.cached_input_tokens
        row.reasoning_tokens = usage.reasoning_tokens
    return row
