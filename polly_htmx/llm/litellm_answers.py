"""
Answers: which of them we read off the wire ourselves, and what they come to.

litellm resolves a model to provider, address, key and parameters, asks, and knows the
prices. What costs is its way with each chunk, which it copies, validates and gathers
several times over. Most providers send OpenAI's chunks as they are. Theirs are read
from the response that lies under litellm's answer: benchmarks/llm.py compares what
that takes. All others stay with litellm, and so do all where somebody listens to what
litellm would tell of its chunks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from polly_htmx.llm import billing
from polly_htmx.llm.deltas import Deltas
from polly_htmx.llm.exceptions import LLMError
from polly_htmx.llm.litellm_chunks import Chunks
from polly_htmx.llm.messages import ChatMessage, Ending

if TYPE_CHECKING:
    import httpx

LISTENERS = (
    "callbacks",
    "success_callback",
    "failure_callback",
    "_async_success_callback",
    "_async_failure_callback",
)
"""Where litellm keeps those who want to be told of an answer."""

NOBODY = "cache"
"""The name that litellm puts there for its cache, with Google's models also where it has
none. A cache itself is looked for apart."""

BREAKS = frozenset({"error", "ERROR", "network_error"})
"""Finish reasons by which a provider says that it has not finished."""


def is_heard(litellm: Any) -> bool:
    """Tell whether somebody listens to what litellm tells of its chunks."""
    if any(anybody(litellm, name) for name in LISTENERS):
        return True
    return getattr(litellm, "cache", None) is not None


def anybody(litellm: Any, name: str) -> bool:
    """Tell whether a list of litellm's holds somebody, and not only its own name."""
    return any(each != NOBODY for each in getattr(litellm, name, None) or ())


def wire(litellm: Any, answer: Any) -> httpx.Response | None:
    """Return the response with OpenAI's own chunks; None where litellm must read."""
    if is_heard(litellm):
        return None
    source: Any = getattr(answer, "completion_stream", None)
    response: httpx.Response | None = None
    # litellm asks in one of two ways, and marks both by what it reads them with.
    plain = litellm.llms.openai.chat.gpt_transformation
    if type(source) is plain.OpenAIChatCompletionStreamingHandler:
        response = source.http_response
    elif answer.custom_llm_provider == "openai" and _is_of_sdk(source):
        response = source.response
    return response


def _is_of_sdk(source: Any) -> bool:
    return type(source).__name__ == "AsyncStream" and hasattr(source, "response")


async def ending(
    litellm: Any, model: str, messages: Sequence[ChatMessage], read: Chunks | Deltas
) -> Ending:
    """Return how an answer ended, with the tokens and the price of it."""
    if isinstance(read, Chunks):
        figures, exact = read.usage, read.exact
    else:
        figures = billing.told(litellm, read.usage)
        exact = figures is not None
    if figures is None:
        figures = await asyncio.to_thread(
            billing.estimated, litellm, model, messages, "".join(read.text)
        )
    return Ending(
        finish_reason=_reason(litellm, read),
        usage=billing.usage_of(figures, exact=exact),
        cost=billing.cost_of(litellm, model, figures),
        answered_by=read.answered_by,
    )


def _reason(litellm: Any, read: Chunks | Deltas) -> str | None:
    reason = read.finish_reason
    if isinstance(read, Chunks) or reason is None:
        return reason
    if reason in BREAKS:
        return None
    known: str = litellm.litellm_core_utils.core_helpers.map_finish_reason(reason)
    return known


def mapped(litellm: Any, model: str, exc: Exception) -> Exception:
    """Return what litellm makes of a fault: it knows many providers' words for one."""
    if isinstance(exc, LLMError):
        return exc
    try:
        litellm.exception_type(
            model=model, custom_llm_provider="openai", original_exception=exc
        )
    except Exception as known:  # noqa: BLE001  which is its way to return one
        known.__cause__ = known.__cause__ or exc
        return known
    return exc
