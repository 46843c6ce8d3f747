from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from pytest_django import Settings

from polly_htmx.llm import LLMConnect, LLMInvoker, LLMModelType, exceptions
from tests.llm.conftest import Invoke


@dataclass
class Bird:
    model: str = "DUMMY"
    system_prompt: str = "Be brief."
    parameters: dict[str, Any] = field(default_factory=dict)
    fallbacks: list[str] = field(default_factory=list)


@pytest.mark.parametrize("model", ["DUMMY", LLMModelType.DUMMY, None])
def test_model_is_found_by_name_member_or_default(model: Any) -> None:
    connect = LLMConnect(model, system_prompt="Hi", temperature=0.5)
    assert connect.model is LLMModelType.DUMMY
    assert connect.params["temperature"] == 0.5
    assert isinstance(connect.invoker(), LLMInvoker)


def test_unknown_model_is_not_configured() -> None:
    with pytest.raises(exceptions.NotConfigured):
        LLMConnect("NO_SUCH_MODEL")


def test_parrot_brings_model_prompt_and_parameters() -> None:
    connect = LLMConnect.for_parrot(Bird(parameters={"temperature": 2}))
    assert connect.model is LLMModelType.DUMMY
    assert connect.system_prompt == "Be brief."
    assert connect.params["temperature"] == 2


@pytest.mark.parametrize("name", ["api_base", "api_key", "model", "extra_headers"])
def test_parrot_may_not_say_where_the_key_goes(name: str) -> None:
    with pytest.raises(exceptions.NotConfigured, match=name):
        LLMConnect.for_parrot(Bird(parameters={name: "http://evil.example"}))


def test_parameters_of_the_model_are_kept_when_another_is_given() -> None:
    connect = LLMConnect(LLMModelType.SMOLLM2_135M_INSTRUCT, temperature=0.9)
    assert connect.params["temperature"] == 0.9
    assert connect.params["max_tokens"] == 1024
    assert LLMModelType.SMOLLM2_135M_INSTRUCT.params["temperature"] == 0.2


def test_backend_is_built_when_the_model_names_one(scripted: Invoke) -> None:
    assert type(scripted()).__name__ == "ScriptedInvoker"


def test_backend_that_does_not_exist_is_not_configured(settings: Settings) -> None:
    settings.POLLY = {"MODELS": {"M": {"backend": "no.such.Invoker"}}}
    with pytest.raises(exceptions.NotConfigured, match="Invoker"):
        LLMConnect("M").invoker()


def test_parrot_may_set_what_its_own_backend_knows(settings: Settings) -> None:
    backend = "polly_htmx.llm.scripted.ScriptedInvoker"
    settings.POLLY = {"MODELS": {"M": {"backend": backend}}}
    bird = Bird(model="M", parameters={"text": "Craw"})
    assert LLMConnect.for_parrot(bird).invoker().send_message("Hi").text == "Craw"
