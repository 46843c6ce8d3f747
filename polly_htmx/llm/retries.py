"""Retries: which faults may pass by themselves, and how long to wait for that."""

from __future__ import annotations

import random

from polly_htmx.llm import exceptions

FIRST_WAIT = 0.25
LONGEST_WAIT = 8.0
"""Seconds that the waits begin from, and that none of them passes."""
PATIENCE = 3.0
"""Seconds that a provider may ask us to wait. One that wants more gets no retry: a
person is waiting, and another model may be free."""

ELSEWHERE = (
    exceptions.BadResponse,
    exceptions.ContextTooLong,
    exceptions.NotAuthorised,
    exceptions.NotConfigured,
    exceptions.RateLimited,
    exceptions.RequestRefused,
    exceptions.Unavailable,
)
"""Faults that another model may not have. A refusal of the content is none of them:
nobody shall look for the model that minds the least."""


def pause(problem: exceptions.LLMError, number: int) -> float | None:
    """
    Return the seconds to wait before the same model is asked again, None for never.

    ``number`` counts the attempts that have failed, from 1. The wait grows by powers of
    two and is drawn at random up to there ("full jitter"), so that many who failed at
    once don't come back at once. What the provider wrote in Retry-After is obeyed.
    """
    if not _may_pass(problem):
        return None
    drawn = random.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2**number))  # noqa: S311
    asked = getattr(problem, "retry_after", None)
    if asked is None:
        return drawn
    return None if asked > PATIENCE else max(asked, drawn)


def _may_pass(problem: exceptions.LLMError) -> bool:
    # A deadline of ours has taken the person's patience already.
    if isinstance(problem, (exceptions.TimedOut, exceptions.Unreachable)):
        return False
    passing = (exceptions.EmptyAnswer, exceptions.RateLimited, exceptions.Unavailable)
    return isinstance(problem, passing)
