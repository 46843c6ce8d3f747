"""The breaker: leaves a model that keeps failing alone for a while."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from polly_htmx.conf import conf
from polly_htmx.llm import exceptions

FAILURES = 5
"""Answers in a row that fail before a model is left alone."""
SICK = (exceptions.Unavailable, exceptions.RateLimited)
"""Faults that speak of the provider's health, and not of one request."""


@dataclass(slots=True)
class _State:
    failures: int = 0
    closed_until: float = 0.0


_states: dict[str, _State] = {}
_lock = threading.Lock()  # Invokers run on several loops and in threads.


def wait(model: str) -> float:
    """
    Return the seconds for which a model is left alone, 0 where it may be asked.

    After that time one question goes through to see how the model is; while it is on
    its way, others are still kept off.
    """
    with _lock:
        state = _states.get(model)
        if state is None or not state.closed_until:
            return 0.0
        now = time.monotonic()
        if now < state.closed_until:
            return state.closed_until - now
        state.closed_until = now + conf.BREAKER_SECONDS
        return 0.0


def succeeded(model: str) -> None:
    """Count an answer, at its first word: the model is well."""
    with _lock:
        _states.pop(model, None)


def left_open(model: str) -> None:
    """Count a question that was given up before a word: the next one may see."""
    with _lock:
        state = _states.get(model)
        if state is not None and state.closed_until:
            state.closed_until = time.monotonic()


def failed(model: str, problem: exceptions.LLMError) -> None:
    """Count a failure, if it is one of the model's and not of the question."""
    if not conf.BREAKER_SECONDS or not isinstance(problem, SICK):
        return
    with _lock:
        state = _states.setdefault(model, _State())
        state.failures += 1
        if state.failures >= FAILURES:
            state.closed_until = time.monotonic() + conf.BREAKER_SECONDS


def reset() -> None:
    """Forget all failures; for tests, and for shells after a repair."""
    with _lock:
        _states.clear()
