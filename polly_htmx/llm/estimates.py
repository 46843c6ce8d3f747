"""
Estimates: what a question may take at the most, known before it is asked.

No text has more tokens than bytes in UTF-8, and no answer more than its limit. So
nothing is counted and nothing loaded, and what was reserved is never exceeded by a
model that keeps to its limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from polly_htmx.llm.exceptions import NotConfigured
from polly_htmx.llm.figures import Price
from polly_htmx.llm.messages import ChatMessage
from polly_htmx.llm.model_type import Model, resolve
from polly_htmx.llm.window import ANSWER, TEMPLATE, at_most, window_of

LEAST = 256
"""Tokens of an answer that is worth asking for."""
LIMITS = ("max_completion_tokens", "max_tokens")
"""Names of the parameter that limits an answer, the one that counts first."""
EFFORTS = {"minimal": 512, "low": 1_024, "medium": 2_048, "high": 4_096, "max": 16_384}
"""Tokens that litellm lets a model think that is told how hard to."""
HARDEST = 8_192
"""The same for others, and for models that think unasked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What one question may take."""

    input: int
    """Tokens of the question with all before it, at the most."""
    wanted: int
    """Tokens that its answer may have."""
    least: int
    """Tokens that it must have: with less it isn't asked."""
    prices: Sequence[Price] = ()
    """Those of all models that may answer, as far as they are known."""

    def cost(self, output: int) -> Decimal:
        """Return what the dearest model takes for an answer of so many tokens."""
        costs = (each.input * self.input + each.output * output for each in self.prices)
        return max(costs, default=Decimal(0))

    def output_within(self, tokens: int | None, cost: Decimal | None) -> int:
        """Return how long an answer may be, 0 for none; None stands for no bound."""
        output = (
            self.wanted if tokens is None else min(self.wanted, tokens - self.input)
        )
        if cost is not None:
            for each in self.prices:
                left = cost - each.input * self.input
                if left < 0:
                    return 0
                if each.output:
                    output = min(output, int(left / each.output))
        return output if output >= self.least else 0


def estimate(
    model: Model,
    params: Mapping[str, Any],
    fallbacks: Sequence[str],
    messages: Sequence[ChatMessage],
) -> Estimate:
    """
    Return what a question may take; ``params`` are the Parrot's.

    An answer that no parameter limits may have 4,096 tokens, and what the model thinks
    before it. A model of the site's own (``backend``) has parameters of its own, so its
    answer is not cut short for the sake of a cap.
    """
    models = [model, *_resolved(fallbacks or model.fallbacks)]
    told, thought = {**model.params, **params}, _thought(model, params)
    given = told.get(limit_name(told))
    wanted = given if isinstance(given, int) else ANSWER + thought
    most = model.figures.max_output or wanted
    wanted = min(wanted, most, max(window_of(model) // 2, 1))
    least = min(wanted, LEAST + (thought if THINKING & told.keys() else 0))
    question = sum(map(at_most, messages)) + TEMPLATE
    return Estimate(
        input=min(question, max(map(window_of, models))),
        wanted=wanted,
        least=least if takes_limit(model, params) else wanted,
        prices=[price for each in models if (price := each.price) is not None],
    )


THINKING = {"reasoning_effort", "thinking"}
"""Parameters by which a model refuses a limit that leaves no room for its thoughts."""


def limit_name(params: Mapping[str, Any]) -> str:
    """Return the name of the parameter that limits answers here."""
    return next((name for name in LIMITS if params.get(name)), LIMITS[-1])


def takes_limit(model: Model, params: Mapping[str, Any]) -> bool:
    """Tell whether an answer can be limited by a parameter."""
    told = {**model.params, **params}
    return not model.backend or any(told.get(name) for name in LIMITS)


def limited(model: Model, params: Mapping[str, Any], output: int) -> dict[str, Any]:
    """Return a Parrot's parameters with a limit for the answer."""
    if not takes_limit(model, params):
        return dict(params)
    return {**params, limit_name({**model.params, **params}): output}


def thinks_unseen(name: str) -> bool:
    """Tell whether a model may think where nobody sees it, and is paid for that."""
    with suppress(NotConfigured):
        return resolve(name).takes.reasoning is True
    return False


def _thought(model: Model, params: Mapping[str, Any]) -> int:
    """Return how many tokens a model may think before it answers."""
    told = {**model.params, **params}
    thinking = told.get("thinking")
    if isinstance(thinking, Mapping):
        budget = thinking.get("budget_tokens")
        return budget if isinstance(budget, int) else 0
    effort = told.get("reasoning_effort")
    if effort == "none":
        return 0
    if effort is not None:
        return EFFORTS.get(effort, HARDEST)
    return HARDEST if model.takes.reasoning else 0


def _resolved(names: Sequence[str]) -> list[Model]:
    found = []
    for name in names:
        with suppress(NotConfigured):
            found.append(resolve(name))
    return found
