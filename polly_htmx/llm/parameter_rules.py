"""Rules of parameters: which values any model at all would take."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from polly_htmx.llm.price_list import EFFORTS

Rule = Callable[[str, Any], str]
"""From a parameter's name and value to what is wrong with it, translated; "" if right."""

LONGEST = 2**31 - 1
SEEDS = 2**63 - 1
OFF = -1
"""By which some servers write that top_k is not wanted."""


def number(low: float, high: float) -> Rule:
    """Return the rule of numbers in a range, both ends in it."""

    def rule(name: str, value: Any) -> str:
        if _is_number(value) and low <= value <= high:
            return ""
        return _("%(name)s must be a number from %(low)s to %(high)s.") % {
            "name": name,
            "low": low,
            "high": high,
        }

    return rule


def whole(low: int, high: int) -> Rule:
    """Return the rule of whole numbers in a range, both ends in it."""

    def rule(name: str, value: Any) -> str:
        if _is_number(value) and not isinstance(value, float) and low <= value <= high:
            return ""
        return _("%(name)s must be a whole number from %(low)s to %(high)s.") % {
            "name": name,
            "low": low,
            "high": high,
        }

    return rule


def one_of(*words: str) -> Rule:
    """Return the rule of a choice."""

    def rule(name: str, value: Any) -> str:
        if isinstance(value, str) and value in words:
            return ""
        return _("%(name)s must be one of: %(words)s.") % {
            "name": name,
            "words": ", ".join(words),
        }

    return rule


def stops(name: str, value: Any) -> str:
    """Look at texts that end an answer: one, or several in a list."""
    texts = [value] if isinstance(value, str) else value
    is_list = isinstance(texts, (list, tuple)) and bool(texts)
    if is_list and all(isinstance(text, str) and text for text in texts):
        return ""
    return _("%(name)s must be a text or a list of texts, none of them empty.") % {
        "name": name
    }


def thing(name: str, value: Any) -> str:
    """Look at what must be a JSON object; its inside is the provider's business."""
    if isinstance(value, dict):
        return ""
    return _("%(name)s must be a JSON object.") % {"name": name}


def form(name: str, value: Any) -> str:
    """Look at the form of an answer: a JSON object, or a class with a schema."""
    return "" if isinstance(value, type) else thing(name, value)


def _is_number(value: Any) -> bool:
    # To Python True is a number.
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and math.isfinite(value)


RULES: dict[str, Rule] = {
    "frequency_penalty": number(-2, 2),
    "logit_bias": thing,
    "max_completion_tokens": whole(1, LONGEST),
    "max_tokens": whole(1, LONGEST),
    "min_p": number(0, 1),
    "presence_penalty": number(-2, 2),
    "reasoning_effort": one_of(*EFFORTS),
    "repeat_penalty": number(0, 10),
    "response_format": form,
    "seed": whole(-SEEDS - 1, SEEDS),
    "stop": stops,
    "temperature": number(0, 2),
    "thinking": thing,
    "top_k": whole(OFF, LONGEST),
    "top_p": number(0, 1),
    "verbosity": one_of("low", "medium", "high"),
}
"""What a Parrot's parameters may say: how a model answers."""
