"""Estimates: what a question may take at the most, before it is asked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings

from polly_htmx.llm import window
from polly_htmx.llm.estimates import LEAST, Estimate, estimate, limited
from polly_htmx.llm.figures import Figures, Price, Takes
from polly_htmx.llm.model_entry import ModelEntry

ASKED = [{"role": "user", "content": "Hi"}]
BACKEND = "polly_htmx.llm.scripted.ScriptedInvoker"


def model(
    *, backend: str | None = None, params: Any = None, **figures: Any
) -> ModelEntry:
    """Return a model of which only the given is known."""
    return ModelEntry(
        "M",
        label="M",
        litellm_model="openai/nobody-knows-it",
        api_base="http://localhost:1",
        params=params or {},
        backend=backend,
        given=Figures(**figures),
    )


def wanted(known: ModelEntry, **params: Any) -> int:
    return estimate(known, params, (), ASKED).wanted


def test_question_has_no_more_tokens_than_bytes() -> None:
    found = estimate(model(), {}, (), [{"role": "user", "content": "鸚鵡"}])
    assert found.input == 6 + window.FRAME + window.TEMPLATE


def test_question_has_no_more_tokens_than_the_window() -> None:
    long = [{"role": "user", "content": "x" * 50_000}]
    assert estimate(model(context_window=8000), {}, (), long).input == 8000


def test_answer_is_as_long_as_parameters_and_window_let_it() -> None:
    assert wanted(model()) == window.ANSWER
    assert wanted(model(), max_tokens=70) == 70
    assert wanted(model(), max_completion_tokens=71, max_tokens=70) == 71
    assert wanted(model(params={"max_tokens": 72})) == 72
    assert wanted(model(context_window=2000)) == 1000
    assert wanted(model(max_output=300)) == 300


@pytest.mark.parametrize(
    ("params", "thought"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 5000}}, 5000),
        ({"thinking": {"type": "disabled"}}, 0),
        ({"reasoning_effort": "none"}, 0),
        ({"reasoning_effort": "high"}, 4096),
        ({"reasoning_effort": "xhigh"}, 8192),
    ],
)
def test_thoughts_have_room_of_their_own(params: Any, thought: int) -> None:
    found = estimate(model(), params, (), ASKED)
    assert found.wanted == window.ANSWER + thought
    assert found.least == LEAST + thought


def test_model_that_thinks_unasked_has_room_for_it() -> None:
    assert wanted(model(takes=Takes(reasoning=True))) > 2 * window.ANSWER


def test_answer_is_cut_to_what_is_left_and_no_shorter_than_is_worth_it() -> None:
    found = Estimate(input=100, wanted=1000, least=200)
    assert found.output_within(None, None) == 1000
    assert found.output_within(1100, None) == 1000
    assert found.output_within(1099, None) == 999
    assert found.output_within(300, None) == 200
    assert found.output_within(299, None) == 0


def test_cost_is_that_of_the_dearest_that_may_answer() -> None:
    prices = [
        Price(input=Decimal(1), output=Decimal(2)),
        Price(input=Decimal(0), output=Decimal(3)),
    ]
    found = Estimate(input=100, wanted=1000, least=200, prices=prices)
    assert found.cost(10) == 120
    assert found.cost(1000) == 3000
    assert found.output_within(None, Decimal(3000)) == 1000
    assert found.output_within(None, Decimal(2999)) == 999
    assert found.output_within(None, Decimal(500)) == 0
    assert found.output_within(None, Decimal(99)) == 0
    assert Estimate(input=1, wanted=9, least=1).cost(9) == 0


def test_stand_ins_count(settings: LazySettings) -> None:
    entry = {"price": {"input": 1_000_000, "output": 0}, "context_window": 9000}
    settings.POLLY = {"MODELS": {"DEAR": {"backend": BACKEND, **entry}}}
    long = [{"role": "user", "content": "x" * 50_000}]
    found = estimate(model(context_window=8000), {}, ("DEAR", "GONE"), long)
    assert found.input == 9000
    assert found.cost(0) == 9000


def test_limit_is_sent_by_the_name_that_is_in_use() -> None:
    assert limited(model(), {"top_p": 1}, 9) == {"top_p": 1, "max_tokens": 9}
    name = "max_completion_tokens"
    assert limited(model(), {name: 20}, 9) == {name: 9}
    assert limited(model(params={name: 20}), {}, 9) == {name: 9}


def test_model_of_the_site_is_asked_with_its_own_parameters_alone() -> None:
    own = model(backend=BACKEND)
    assert limited(own, {"mood": "good"}, 9) == {"mood": "good"}
    found = estimate(own, {}, (), ASKED)
    assert found.least == found.wanted == window.ANSWER
    assert limited(model(backend=BACKEND, params={"max_tokens": 5}), {}, 3) == {
        "max_tokens": 3
    }
