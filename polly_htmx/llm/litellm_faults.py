"""Translates what litellm and its providers raise into our own exceptions."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from http import HTTPStatus

from polly_htmx.llm import exceptions
from polly_htmx.llm.exceptions import LLMError

logger = logging.getLogger(__name__)

NAMES: dict[str, type[LLMError]] = {
    "ContextWindowExceededError": exceptions.ContextTooLong,
    "ContentPolicyViolationError": exceptions.ContentRefused,
    "UnsupportedParamsError": exceptions.NotConfigured,
    "Timeout": exceptions.TimedOut,
}
"""Classes of litellm that say more than their status; by name, since litellm may
not be imported here."""

NO_CONNECTION = "ConnectTimeout"
"""httpx's name for a call that nobody takes."""
NO_PROVIDER = ""
"""What litellm writes where it can't tell whom to ask: the id's prefix is unknown."""

CODES: dict[str, type[LLMError]] = {
    "content_filter": exceptions.ContentRefused,
    "content_policy_violation": exceptions.ContentRefused,
    "context_length_exceeded": exceptions.ContextTooLong,
    "invalid_api_key": exceptions.NotAuthorised,
    "model_not_found": exceptions.NotConfigured,
    "rate_limit_exceeded": exceptions.RateLimited,
}
"""OpenAI's words, which many others use, also where there is no status: in a stream."""

STATUSES: dict[int, type[LLMError]] = {
    HTTPStatus.BAD_REQUEST: exceptions.RequestRefused,
    HTTPStatus.UNAUTHORIZED: exceptions.NotAuthorised,
    HTTPStatus.PAYMENT_REQUIRED: exceptions.NotAuthorised,
    HTTPStatus.FORBIDDEN: exceptions.NotAuthorised,
    HTTPStatus.NOT_FOUND: exceptions.NotConfigured,
    HTTPStatus.REQUEST_TIMEOUT: exceptions.TimedOut,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: exceptions.ContextTooLong,
    HTTPStatus.UNPROCESSABLE_ENTITY: exceptions.RequestRefused,
    HTTPStatus.TOO_MANY_REQUESTS: exceptions.RateLimited,
}


def translated(exc: BaseException) -> LLMError:
    """Return our exception for a foreign one, with none of its text."""
    if isinstance(exc, LLMError):
        return exc
    causes = list(_causes(exc))
    kind = _kind_before_an_answer(causes) or _kind(causes)
    logger.warning(
        "model fault: %s (%s)",
        kind.code,
        ", ".join(type(one).__name__ for one in causes),
    )
    if kind is exceptions.RateLimited:
        return exceptions.RateLimited(retry_after=_retry_after(causes))
    return kind()


def _kind(causes: list[BaseException]) -> type[LLMError]:
    for one in causes:
        if kind := NAMES.get(type(one).__name__):
            return kind
    for one in causes:
        if kind := CODES.get(str(getattr(one, "code", None))):
            return kind
    for one in causes:
        if kind := _kind_of_status(_status(one)):
            return kind
    # Text that is no JSON or no UTF-8 raises one of ValueError's children.
    if any(isinstance(one, ValueError) for one in causes):
        return exceptions.BadResponse
    return exceptions.Unavailable


def _kind_before_an_answer(causes: list[BaseException]) -> type[LLMError] | None:
    # litellm's own names for these two are those of others.
    if any(type(one).__name__ == NO_CONNECTION for one in causes):
        return exceptions.Unreachable
    if any(getattr(one, "llm_provider", None) == NO_PROVIDER for one in causes):
        return exceptions.NotConfigured
    return None


def _kind_of_status(status: int) -> type[LLMError] | None:
    # No redirect is followed, so the address that was set is not the right one.
    redirected = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    return exceptions.NotConfigured if redirected else STATUSES.get(status)


def _status(exc: BaseException) -> int:
    # An error in a stream has no status of its own, but may tell one as its code.
    for status in (getattr(exc, "status_code", None), getattr(exc, "code", None)):
        if isinstance(status, int):
            return status
    return 0


def _retry_after(causes: list[BaseException]) -> float | None:
    for one in causes:
        headers = getattr(one, "litellm_response_headers", None) or {}
        try:
            seconds = float(headers.get("retry-after", ""))
        except ValueError:
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    return None


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those behind it, the outermost first."""
    seen: set[int] = set()
    queue: list[BaseException | None] = [exc]
    while queue:
        one = queue.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        queue += [getattr(one, "original_exception", None), one.__cause__]
        queue.append(one.__context__)
