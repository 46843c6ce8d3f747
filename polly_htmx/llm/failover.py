"""Failover: asks a model again, or the next one, as long as nobody has read a word."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from polly_htmx.conf import conf
from polly_htmx.llm import breaker, exceptions, retries
from polly_htmx.llm.attempts import Attempt, Priced
from polly_htmx.llm.messages import Ending, ProviderEvent

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Candidate:
    """A model that may answer, and how it is asked."""

    model: str
    ask: Callable[[], AsyncGenerator[ProviderEvent]]
    """Begins a new call. It raises only LLMError."""
    size: int = 0
    """Bytes of what it is sent; known for sure once it is asked."""
    priced: Priced | None = None
    """Who knows its price."""


@dataclass(slots=True)
class Failover:
    """
    One question to the first of several models that answers.

    The same model is asked again for faults that may pass by themselves, then the next
    one. Once the first piece of an answer is out, its fault is the answer's fault:
    somebody may have read it, and two beginnings make no answer.
    """

    candidates: Sequence[Candidate]
    attempts: list[Attempt] = field(default_factory=list)
    """Every call, in order; the last one is the one that answered, if any did."""
    _begun: float = field(default_factory=time.monotonic)

    async def events(self) -> AsyncGenerator[ProviderEvent]:
        """Yield the events of the call that answers; raise the last problem."""
        problem: exceptions.LLMError = exceptions.NotConfigured("No model to ask.")
        for candidate in self.candidates:
            if kept_off := breaker.wait(candidate.model):
                problem = exceptions.Unavailable(
                    f"{candidate.model} keeps failing; next try in {kept_off:.0f} s."
                )
                continue
            failure: exceptions.LLMError | None = None
            try:
                async with aclosing(self._with_retries(candidate)) as events:
                    async for event in events:
                        yield event
            except exceptions.LLMError as exc:
                failure = exc
            finally:
                self._tell_breaker(candidate.model, failure)
            if failure is None:
                return
            problem = failure
            if self._has_spoken or not isinstance(failure, retries.ELSEWHERE):
                break
        raise problem

    def _tell_breaker(self, model: str, failure: exceptions.LLMError | None) -> None:
        if self._has_spoken:
            breaker.succeeded(model)
        elif failure is not None:
            breaker.failed(model, failure)
        else:
            breaker.left_open(model)

    @property
    def _has_spoken(self) -> bool:
        return bool(self.attempts) and self.attempts[-1].has_spoken

    async def _with_retries(
        self, candidate: Candidate
    ) -> AsyncGenerator[ProviderEvent]:
        for number in range(1, conf.RETRIES + 2):
            failure: exceptions.LLMError | None = None
            try:
                async with aclosing(self._once(candidate)) as events:
                    async for event in events:
                        yield event
            except exceptions.LLMError as exc:
                # Raised further down, out of this handler: there it would carry the
                # provider's frames along.
                failure = exc
            if failure is None:
                return
            seconds = self._pause(failure, number)
            if seconds is None:
                raise failure
            logger.info(
                "asking again model=%s fault=%s attempt=%s wait=%.1f",
                candidate.model,
                failure.code,
                number + 1,
                seconds,
            )
            await asyncio.sleep(seconds)

    async def _once(self, candidate: Candidate) -> AsyncGenerator[ProviderEvent]:
        attempt = Attempt(
            model=candidate.model, asked=candidate.size, priced=candidate.priced
        )
        self.attempts.append(attempt)
        try:
            async with aclosing(candidate.ask()) as events:
                async for event in events:
                    attempt.heard(event)
                    if isinstance(event, Ending):
                        _look_for_words(attempt, event)
                    yield event
        except exceptions.LLMError as exc:
            attempt.failed(exc)
            raise
        finally:
            attempt.asked = candidate.size
            attempt.ended()

    def _pause(self, problem: exceptions.LLMError, number: int) -> float | None:
        if number > conf.RETRIES or self._has_spoken:
            return None
        seconds = retries.pause(problem, number)
        waited = time.monotonic() - self._begun
        if seconds is None or waited + seconds > conf.FIRST_TOKEN_TIMEOUT:
            return None
        return seconds


def _look_for_words(attempt: Attempt, ending: Ending) -> None:
    if not attempt.has_spoken and ending.finish_reason != "content_filter":
        raise exceptions.EmptyAnswer
