"""Billing: the tokens and the price of an answer, by litellm's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from polly_htmx.llm.messages import ChatMessage, Ending, Usage
from polly_htmx.llm.model_type import Model

UNPRICED = ("ollama/", "ollama_chat/")
"""Models that cost nothing by the token. litellm would ask their server for a price:
by a request that holds up the event loop, and without the key."""


def told(litellm: Any, figures: Mapping[str, Any] | None) -> Any:
    """Return what a provider counted as litellm's kind of usage, None for nonsense."""
    if not figures:
        return None
    try:
        usage = litellm.Usage(**figures)
    except (TypeError, ValueError):
        return None
    return usage


def estimated(
    litellm: Any, model: str, messages: Sequence[ChatMessage], text: str
) -> Any:
    """Count the tokens ourselves. Takes a while the first time: not on a loop."""
    asked = litellm.token_counter(model=model, messages=list(messages))
    answered = litellm.token_counter(model=model, text=text, count_response_tokens=True)
    return litellm.Usage(
        prompt_tokens=asked,
        completion_tokens=answered,
        total_tokens=asked + answered,
    )


def usage_of(figures: Any, *, exact: bool) -> Usage | None:
    """Return litellm's kind of usage as ours, None for none."""
    if figures is None:
        return None
    asked = getattr(figures, "prompt_tokens_details", None)
    answered = getattr(figures, "completion_tokens_details", None)
    return Usage(
        input_tokens=figures.prompt_tokens or 0,
        output_tokens=figures.completion_tokens or 0,
        exact=exact,
        cached_input_tokens=getattr(asked, "cached_tokens", None) or 0,
        reasoning_tokens=getattr(answered, "reasoning_tokens", None) or 0,
    )


def cost_of(litellm: Any, model: str, figures: Any) -> Decimal | None:
    """Return the price in US dollars, None where it is not known."""
    if figures is None or model.startswith(UNPRICED):
        return None
    try:
        parts = litellm.cost_per_token(model=model, usage_object=figures)
    except Exception:  # noqa: BLE001  raises all sorts for a model without a price
        return None
    return sum((Decimal(str(part)) for part in parts), Decimal(0))


def priced(ending: Ending, model: Model) -> Ending:
    """Return the end of an answer with the site's own price, where it has set one."""
    price = model.given.price
    if price is None or ending.usage is None:
        return ending
    return replace(ending, cost=price.of(ending.usage))
