"""Parameters: what is refused before any request, and with which words."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest
from django.utils.translation import override
from pytest_django import Settings

from polly_htmx.llm import LLMConnect, LLMModelType, exceptions
from polly_htmx.llm.parameters import problems, taken
from tests.fake_provider import FakeProvider
from tests.llm.conftest import Invoke
from tests.llm.test_connect import Bird

ANY = LLMModelType.LLAMA_CPP_SERVER
"""Nothing is known of it."""


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("temperature", [0, 2, 0.5, 1, None], [-0.1, 2.1, "1", True, float("nan")]),
        ("top_p", [0, 1, 0.9], [1.1, -1, "x", [1]]),
        ("min_p", [0, 0.05], [2]),
        ("top_k", [-1, 0, 40], [-2, 1.5, "40"]),
        ("max_tokens", [1, 10**6], [0, -1, 1.0, "10", True]),
        ("max_completion_tokens", [1], [0]),
        ("seed", [0, -7, 2**63 - 1], [2**63, 0.5, "7"]),
        ("stop", ["END", ["a", "b"]], ["", [], ["a", ""], [1], 7, {}]),
        ("frequency_penalty", [-2, 2], [2.5]),
        ("presence_penalty", [-2, 2], [-3]),
        ("repeat_penalty", [1.1], [-1]),
        ("reasoning_effort", ["none", "low", "max"], ["huge", "", 1, {"effort": "x"}]),
        ("verbosity", ["low"], ["loud"]),
        ("logit_bias", [{"50256": -100}], [[1]]),
        ("thinking", [{"type": "enabled", "budget_tokens": 1024}], ["yes"]),
        ("response_format", [{"type": "json_object"}], ["json"]),
    ],
)
def test_values(name: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert problems(ANY, {name: value}) == [], value
    for value in bad:
        [found] = problems(ANY, {name: value})
        assert found.name == name
        assert name in found.text
        assert found.text.endswith(".")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("temperatures", "temperature"),
        ("Temperature", "temperature"),
        ("maxtokens", "max_tokens"),
        ("top-p", "top_p"),
        ("reasoning", "reasoning_effort"),
    ],
)
def test_misspelt_name_gets_the_nearest_one(name: str, near: str) -> None:
    [found] = problems(ANY, {name: 1})
    assert found == (name, f"There is no parameter {name}. Did you mean {near}?")


def test_name_like_no_other_gets_the_list() -> None:
    [found] = problems(ANY, {"wingspan": 1})
    assert found.text.startswith("A Parrot may not set wingspan. It may set: frequency")


@pytest.mark.parametrize(
    "name", ["api_base", "api_key", "base_url", "model", "extra_headers", "extra_body"]
)
def test_parrot_decides_nothing_about_the_address(name: str) -> None:
    [found] = problems(ANY, {name: "http://evil.example"})
    assert found.name == name
    assert "evil" not in found.text


def test_operator_may_say_what_a_provider_alone_knows() -> None:
    own = {"min_tokens": 1, "vertex_project": "p", "top_a": 0.1, "tools": [{}]}
    assert problems(ANY, own, of_parrot=False) == []
    found = problems(ANY, {"temperatures": 1, "max_token": 1}, of_parrot=False)
    assert [each.name for each in found] == ["max_token", "temperatures"]


@pytest.mark.parametrize(
    ("model", "parameters", "text"),
    [
        (
            LLMModelType.SMOLLM2_135M_INSTRUCT,
            {"reasoning_effort": "low"},
            "takes no reasoning_effort.",
        ),
        (LLMModelType.CLAUDE_OPUS_5_5, {"top_p": 0.5}, "takes no top_p."),
        (LLMModelType.CLAUDE_OPUS_5_5, {"temperature": 1}, "takes no temperature."),
        (LLMModelType.CLAUDE_HAIKU_4_5, {"temperature": 1.5}, "from 0 to 1."),
        (LLMModelType.GPT_5_4, {"max_tokens": 10**6}, "from 1 to 128000."),
        (LLMModelType.MISTRAL_SMALL, {"reasoning_effort": "low"}, "but: high, none."),
        (LLMModelType.GPT_6_1_SOL, {"reasoning_effort": "minimal"}, "but: high, low,"),
    ],
)
def test_what_this_model_does_not_take(
    model: LLMModelType, parameters: dict[str, Any], text: str
) -> None:
    [found] = problems(model, parameters)
    assert str(model.label) in found.text
    assert text in found.text
    assert problems(ANY, parameters) == []


def test_site_may_know_better_what_a_model_takes(settings: Settings) -> None:
    entry = {"model": "mistral/mistral-small-latest", "takes": {"reasoning": True}}
    settings.POLLY = {"MODELS": {"MINE": entry}}
    assert problems(LLMModelType["MINE"], {"reasoning_effort": "low"}) == []
    entry["takes"] = {"reasoning": False}
    assert problems(LLMModelType["MINE"], {"reasoning_effort": "low"})


def test_backend_of_the_site_has_parameters_of_its_own(settings: Settings) -> None:
    settings.POLLY = {"MODELS": {"OWN": {"backend": "mysite.llm.Mine"}}}
    assert problems(LLMModelType["OWN"], {"text": 1, "temperature": "hot"}) == []


def test_model_that_is_gone_is_looked_at_by_the_general_rules() -> None:
    assert problems(None, {"temperature": 1}) == []
    assert len(problems(None, {"temperature": 3, "api_key": "x"})) == 2


@pytest.mark.parametrize("nonsense", [None, [1], "temperature", 7])
def test_what_is_no_object_is_one_problem(nonsense: Any) -> None:
    assert len(problems(ANY, nonsense)) == 1


def test_words_are_made_when_they_are_read() -> None:
    with override("de"):
        assert problems(ANY, {"top_p": 5})[0].text.startswith("top_p ")


def test_connection_refuses_before_any_request(
    invoke: Invoke, provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "polly_htmx")
    with pytest.raises(exceptions.BadParameter, match="Did you mean temperature"):
        invoke("good", temperatures=0.2)
    assert isinstance(exceptions.BadParameter(), exceptions.NotConfigured)
    assert provider.exchanges == []
    assert "parameter refused model=FAKE parameter='temperatures'" in caplog.text


def test_connection_refuses_params_of_the_settings(settings: Settings) -> None:
    entry = {"model": "openai/x", "params": {"temperature": 7}}
    settings.POLLY = {"MODELS": {"MINE": entry}}
    with pytest.raises(exceptions.BadParameter, match="temperature"):
        LLMConnect("MINE")


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(exceptions.BadParameter) as caught:
        LLMConnect.for_parrot(Bird(parameters={"top_p": 2, "temperature": 3}))
    assert "top_p" in str(caught.value)
    assert "temperature" in str(caught.value)


def test_stand_in_is_asked_without_what_it_does_not_take() -> None:
    own = {"reasoning_effort": "low", "max_tokens": 10}
    assert taken(LLMModelType.SMOLLM2_135M_INSTRUCT, own) == {"max_tokens": 10}
    bird = Bird(
        model="GPT_5_4", parameters=own, fallbacks=["SMOLLM2_135M_INSTRUCT", "GPT_5_6"]
    )
    first, second = LLMConnect.for_parrot(bird).stand_ins()
    assert first.connect.params["max_tokens"] == 10
    assert "reasoning_effort" not in first.connect.params
    assert second.connect.params["reasoning_effort"] == "low"


def test_looking_is_cheap() -> None:
    parameters = {"temperature": 0.5, "top_p": 0.9, "max_tokens": 100}
    problems(LLMModelType.GPT_5_4, parameters)
    begun = time.process_time()
    for _ in range(1000):
        problems(LLMModelType.GPT_5_4, parameters)
    assert time.process_time() - begun < 1  # A millisecond each; it takes a tenth.
