"""Calls: writes down what each call to a model took, in the transaction of its end."""

from __future__ import annotations

from collections.abc import Iterable

from polly_htmx.llm.attempts import Attempt
from polly_htmx.models import Message, ModelCall


def calls_for(reply: Message, attempts: Iterable[Attempt]) -> list[ModelCall]:
    """Return the rows, not yet saved, of the calls that a reply was made of."""
    conversation = reply.conversation
    return [
        _row(
            attempt,
            purpose=ModelCall.Purpose.REPLY,
            reply=reply,
            version_id=reply.version_id,
            user_id=conversation.user_id,
            visitor=conversation.visitor,
        )
        for attempt in attempts
    ]


def lost_call(reply: Message) -> ModelCall:
    """Return the row of a call whose process died, so that nobody knows the figures."""
    version = reply.version
    return ModelCall(
        purpose=ModelCall.Purpose.REPLY,
        reply=reply,
        version=version,
        user_id=reply.conversation.user_id,
        visitor=reply.conversation.visitor,
        model=version.model if version else "",
        error=reply.error,
        exactness=ModelCall.Exactness.UNKNOWN,
    )


def _row(attempt: Attempt, **of: object) -> ModelCall:
    usage, ending = attempt.usage, attempt.ending
    row = ModelCall(
        model=attempt.model,
        error=attempt.error,
        first_token=attempt.first,
        seconds=attempt.seconds,
        exactness=ModelCall.Exactness.UNKNOWN,
        **of,
    )
    if ending is not None:
        row.answered_by = ending.answered_by[:200]
        row.cost = ending.cost
    if usage is not None:
        exactness = ModelCall.Exactness
        row.exactness = exactness.EXACT if usage.exact else exactness.ESTIMATED
        row.input_tokens = usage.input_tokens
        row.output_tokens = usage.output_tokens
        row.cached_tokens = usage.cached_input_tokens
        row.reasoning_tokens = usage.reasoning_tokens
    return row
