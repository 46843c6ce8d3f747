"""Checks of how models are asked: figures, parameters, addresses and providers."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Collection, Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, Warning as CheckWarning

from polly_htmx.checks.keys import fits, unknown
from polly_htmx.llm import parameters, price_list
from polly_htmx.llm.figures import PRICED, Takes
from polly_htmx.llm.model_type import Model


def of_figures(path: str, entry: dict[str, Any]) -> Iterator[CheckMessage]:
    """Look at what an entry says of its model: its window, what it takes, its price."""
    window = entry.get("context_window", 1)
    if fits(window, int) and window < 1:
        yield Error(
            f"{path}['context_window'] is {window}.",
            hint="Write how many tokens fit into one question.",
            id="polly.E022",
        )
    yield from _of_inside(path, entry, "takes", Takes.names(), _IS_TRUTH)
    yield from _of_inside(path, entry, "price", PRICED, _IS_AMOUNT)


Rule = tuple[Callable[[Any], bool], str]
"""Whether a value is right, and what to write instead."""

_IS_TRUTH: Rule = (lambda value: isinstance(value, bool), "Write True or False.")
_IS_AMOUNT: Rule = (
    lambda value: fits(value, float) and 0 <= value < math.inf,
    "Write US dollars for a million tokens.",
)


def _of_inside(
    path: str, entry: dict[str, Any], key: str, names: Collection[str], rule: Rule
) -> Iterator[CheckMessage]:
    is_right, hint = rule
    inside = entry.get(key, {})
    if not isinstance(inside, dict):
        return  # Reported with the types.
    for name, value in inside.items():
        what = f"{path}[{key!r}][{name!r}]"
        if name not in names:
            yield unknown(what, name, names, "polly.E023")
        elif not is_right(value):
            yield Error(f"{what} is of the wrong kind.", hint=hint, id="polly.E022")


def of_use(model: Model) -> Iterator[CheckMessage]:
    """Look at how a model is asked: with what, and whom."""
    found = parameters.problems(model, model.params, of_parrot=False)
    for each in found:
        yield Error(
            f"Model {model.name} can't be asked with {each.name!r} of its params.",
            hint=each.text,
            id="polly.E027",
        )
    if not (model.backend or model.file or model.is_mock):
        yield from _of_provider(model)


def _of_provider(model: Model) -> Iterator[CheckMessage]:
    prefix, slash, _rest = model.litellm_model.partition("/")
    known = price_list.providers()
    if not known or price_list.figures(model.litellm_model):
        return
    if slash and prefix in known:
        return
    near = difflib.get_close_matches(prefix, sorted(known), n=1)
    hint = f"Did you mean {near[0] + '/'!r}? " if slash and near else ""
    yield CheckWarning(
        f"Model {model.name} has no provider that litellm is known to have: "
        f"{model.litellm_model!r}.",
        hint=f"{hint}Write provider/model, such as 'openai/gpt-5.4-mini'.",
        id="polly.W024",
    )
