"""Parameters: what a model is asked with besides the text, and whether it takes that."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from polly_htmx.llm import exceptions
from polly_htmx.llm.elsewhere import OF_THE_ENTRY, elsewhere, leads_elsewhere
from polly_htmx.llm.figures import Figures
from polly_htmx.llm.model_type import Model
from polly_htmx.llm.parameter_rules import RULES, Rule, number, whole

logger = logging.getLogger(__name__)

OF_OPERATORS = frozenset(
    {
        "extra_body",
        "extra_headers",
        "logprobs",
        "mock_response",
        "parallel_tool_calls",
        "prompt_cache_key",
        "repetition_penalty",
        "service_tier",
        "tool_choice",
        "tools",
        "top_logprobs",
        "user",
    }
)
"""What else who writes the settings or the code may say, of which a slip is known. There
are many more: each provider has some of its own."""

SAMPLING = frozenset({"temperature", "top_k", "top_p"})
"""Some models fix these themselves, and refuse a question that has them."""
THOUGHT = frozenset({"reasoning_effort", "thinking"})
LENGTHS = frozenset({"max_completion_tokens", "max_tokens"})
COOLER = "anthropic"
"""Its models know temperatures up to 1 only."""

A_SLIP = 0.85
"""How near a name must be to a known one to count as that one misspelt. Others than a
Parrot's may be a provider's own."""


class ParameterProblem(NamedTuple):
    """A parameter that a model can't be asked with, and why: a translated sentence."""

    name: str
    text: str


def problems(
    model: Model | None, parameters: Any, *, of_parrot: bool = True
) -> list[ParameterProblem]:
    """
    Return what is wrong with parameters; None stands for a model that nobody knows.

    A Parrot's must be among RULES: how a model answers, and nothing about where the
    question and the key are sent. Whoever may edit Parrots need not know the key. An
    operator's are let through if they are unknown, but for slips of the pen. Models
    with a backend of the site's own have parameters of their own; there a Parrot may
    set what does not sound of an address or a key.
    """
    if not isinstance(parameters, Mapping):
        return [ParameterProblem("", _("The parameters must be a JSON object."))]
    if model is not None and model.backend:
        names = filter(leads_elsewhere, parameters if of_parrot else ())
        return sorted(ParameterProblem(name, elsewhere(name)) for name in names)
    found = [
        ParameterProblem(name, text)
        for name, value in parameters.items()
        if value is not None
        and (text := _name(name, of_parrot) or _value(model, name, value))
    ]
    return sorted(found)


def require(
    model: Model, parameters: Mapping[str, Any], *, of_parrot: bool = True
) -> None:
    """Raise BadParameter for the first problem; tell the operator's log of all."""
    found = problems(model, parameters, of_parrot=of_parrot)
    for each in found:
        logger.warning("parameter refused model=%s parameter=%r", model.name, each.name)
    if found:
        raise exceptions.BadParameter(" ".join(each.text for each in found))


def taken(
    model: Model, parameters: Mapping[str, Any], *, of_parrot: bool = True
) -> dict[str, Any]:
    """Return those parameters that a model takes, for one that stands in."""
    wrong = {each.name for each in problems(model, parameters, of_parrot=of_parrot)}
    return {name: value for name, value in parameters.items() if name not in wrong}


def _name(name: str, of_parrot: bool) -> str:  # noqa: FBT001 - by position, as a rule
    known = RULES if of_parrot else {*RULES, *OF_OPERATORS}
    if name in known:
        return ""
    if name in OF_THE_ENTRY:
        return elsewhere(name)
    cutoff = 0.6 if of_parrot else A_SLIP
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=cutoff)
    if near:
        return _("There is no parameter %(name)s. Did you mean %(near)s?") % {
            "name": name,
            "near": near[0],
        }
    if not of_parrot:
        return ""
    return _("A Parrot may not set %(name)s. It may set: %(allowed)s.") % {
        "name": name,
        "allowed": ", ".join(sorted(RULES)),
    }


def _value(model: Model | None, name: str, value: Any) -> str:
    """Return what is wrong with one value, "" for nothing."""
    rule = RULES.get(name)
    wrong = rule(name, value) if rule else ""
    if wrong or model is None or name not in SAMPLING | THOUGHT | LENGTHS:
        return wrong
    figures = model.figures
    if _is_refused(name, figures):
        return _("%(model)s takes no %(name)s.") % {"model": model.label, "name": name}
    narrower = _narrower(model, name, figures)
    if narrower and (wrong := narrower(name, value)):
        return f"{model.label}: {wrong}"
    if name == "reasoning_effort" and figures.efforts and value not in figures.efforts:
        return _("%(model)s takes no reasoning_effort %(value)s, but: %(known)s.") % {
            "model": model.label,
            "value": value,
            "known": ", ".join(sorted(figures.efforts)),
        }
    return ""


def _is_refused(name: str, figures: Figures) -> bool:
    if name in THOUGHT:
        return figures.takes.reasoning is False
    return name in SAMPLING and not figures.samples


def _narrower(model: Model, name: str, figures: Figures) -> Rule | None:
    """Return a rule of this one model that is narrower than everybody's."""
    if name == "temperature" and model.litellm_model.startswith(f"{COOLER}/"):
        return number(0, 1)
    if name in LENGTHS and figures.max_output:
        return whole(1, figures.max_output)
    return None
