"""Figures of models: prices, what a site may say itself, and where models run."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings

from polly_htmx.llm import LLMModelType, Usage
from polly_htmx.llm.figures import FREE, Price
from polly_htmx.llm.model_entry import Place

PRICE = Price(input=Decimal(2), output=Decimal(10), cached_input=Decimal(1))


def usage(asked: int, answered: int, cached: int = 0) -> Usage:
    return Usage(
        input_tokens=asked,
        output_tokens=answered,
        cached_input_tokens=cached,
        exact=True,
    )


@pytest.mark.parametrize(
    ("price", "used", "cost"),
    [
        (PRICE, usage(3, 2), 26),
        (PRICE, usage(3, 0, cached=2), 4),
        (PRICE, usage(3, 0, cached=9), 3),  # as some providers count
        (Price(input=Decimal(2), output=Decimal(10)), usage(3, 0, cached=2), 6),
        (FREE, usage(10**6, 10**6), 0),
    ],
)
def test_price_of_tokens(price: Price, used: Usage, cost: int) -> None:
    assert price.of(used) == cost


def model_of(settings: Settings, **entry: Any) -> LLMModelType:
    settings.POLLY = {"MODELS": {"MINE": entry}}
    return LLMModelType["MINE"]


def test_entry_has_the_figures_of_its_id(settings: Settings) -> None:
    mine = model_of(settings, model="openai/gpt-5.4-mini")
    assert mine.figures == LLMModelType.GPT_5_4_MINI.figures
    assert mine.context_window == 272_000


def test_entry_knows_better_than_the_table(settings: Settings) -> None:
    mine = model_of(
        settings,
        model="openai/gpt-5.4-mini",
        context_window=8_000,
        takes={"images": False},
        price={"input": 0.5, "output": 2, "cached_input": 0.05},
    )
    assert mine.context_window == 8_000
    assert (mine.takes.images, mine.takes.tools) == (False, True)
    assert mine.price == Price(
        input=Decimal("0.0000005"),
        output=Decimal("0.000002"),
        cached_input=Decimal("0.00000005"),
    )


def test_entry_that_nobody_lists_knows_what_the_site_says(settings: Settings) -> None:
    mine = model_of(settings, model="openai/ours", takes={"tools": True})
    assert (mine.takes.tools, mine.takes.images) == (True, None)
    assert (mine.context_window, mine.price) == (None, None)


def test_window_of_a_file_is_what_the_engine_gives_it(settings: Settings) -> None:
    assert LLMModelType.SMOLLM2_135M_INSTRUCT.context_window == 8_192
    assert model_of(settings, file="x.gguf").context_window == 16_384
    settings.POLLY = {"LOCAL_CONTEXT": 4_096}
    assert LLMModelType.SMOLLM2_135M_INSTRUCT.context_window == 4_096


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ({"file": "x.gguf"}, Place.EMBEDDED),
        ({"backend": "mysite.llm.Mine"}, Place.EMBEDDED),
        ({"model": "openai/x", "params": {"mock_response": "Hi"}}, Place.EMBEDDED),
        ({"model": "openai/x", "api_base": "http://127.0.0.1:1"}, Place.LOCAL_SERVER),
        ({"model": "openai/x", "api_base": "http://vllm:8000"}, Place.LOCAL_SERVER),
        ({"model": "ollama_chat/gemma3"}, Place.LOCAL_SERVER),
        ({"model": "openai/x"}, Place.HOSTED),
        ({"model": "openai/x", "api_base": "https://x.example"}, Place.HOSTED),
    ],
)
def test_place_is_where_a_model_runs(
    settings: Settings, entry: dict[str, Any], place: Place
) -> None:
    assert model_of(settings, **entry).place is place


def test_what_runs_in_here_costs_nothing_and_is_in_no_table(settings: Settings) -> None:
    assert LLMModelType.SMOLLM2_135M_INSTRUCT.price == FREE
    assert LLMModelType.DUMMY.price == FREE
    assert LLMModelType.SMOLLM2_135M_INSTRUCT.takes.reasoning is False
    own = model_of(settings, backend="mysite.llm.Mine", model="openai/gpt-5.4-mini")
    assert (own.price, own.context_window) == (None, None)


def test_choices_are_grouped_with_those_of_the_site_first(settings: Settings) -> None:
    model_of(settings, model="openai/x", label="Mine")
    groups = dict(LLMModelType.grouped_choices)
    assert groups["With a provider"][0] == ("MINE", "Mine")
    flat = [choice for group in groups.values() for choice in group]
    assert sorted(flat) == sorted(LLMModelType.choices)


def test_names_of_members_are_those_of_their_entries() -> None:
    for model in LLMModelType:
        assert model.name == model.entry.name


@pytest.mark.parametrize(
    "name",
    [
        *("SMOLLM2_135M_INSTRUCT", "DUMMY", "GPT_5_4_MINI", "CLAUDE_HAIKU_4_5"),
        *("GEMINI_3_5_FLASH", "MISTRAL_SMALL"),
    ],
)
def test_name_that_rows_may_hold_stays(name: str) -> None:
    assert name in LLMModelType.__members__
