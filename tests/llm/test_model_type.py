from __future__ import annotations

import pytest
from django.utils.translation import override
from pytest_django import Settings

from polly_htmx.llm import LLMModelType, exceptions
from polly_htmx.llm.litellm_port import load
from polly_htmx.llm.model_type import ModelEntry, Place, resolve

ENTRY = {
    "label": "Mine",
    "model": "openai/mine",
    "api_base": "http://127.0.0.1:1/v1",
    "api_key": "sk-very-secret",
    "params": {"temperature": 1},
    "fallbacks": ["DUMMY"],
}


def test_members_have_their_attributes() -> None:
    model = LLMModelType.SMOLLM2_135M_INSTRUCT
    assert model.name == "SMOLLM2_135M_INSTRUCT"
    assert model.place is Place.EMBEDDED
    assert model.file == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert LLMModelType.DUMMY.litellm_model == "openai/dummy"
    assert LLMModelType.DUMMY.api_base is None


def test_member_and_entry_share_attributes() -> None:
    member = LLMModelType.DUMMY
    for name in ModelEntry.__dataclass_fields__:
        assert name == "_" or hasattr(member, name)


def test_settings_are_seen_when_they_change(settings: Settings) -> None:
    assert ("MINE", "Mine") not in LLMModelType.choices
    settings.POLLY = {"MODELS": {"MINE": ENTRY}}
    assert ("MINE", "Mine") in LLMModelType.choices
    model = LLMModelType["MINE"]
    assert (model.name, model.label, model.litellm_model) == (
        "MINE",
        "Mine",
        "openai/mine",
    )
    assert model.params == {"temperature": 1}
    assert model.fallbacks == ("DUMMY",)
    assert LLMModelType["DUMMY"] is LLMModelType.DUMMY


def test_settings_replace_a_member_when_they_name_it(settings: Settings) -> None:
    settings.POLLY = {"MODELS": {"DUMMY": ENTRY}}
    assert LLMModelType["DUMMY"].label == "Mine"
    assert [name for name, _ in LLMModelType.choices].count("DUMMY") == 1


def test_unknown_name_is_refused() -> None:
    with pytest.raises(KeyError):
        LLMModelType["PARROT_9000"]
    with pytest.raises(exceptions.NotConfigured, match="PARROT_9000"):
        resolve("PARROT_9000")


def test_default_model_is_meant_when_none_is_given(settings: Settings) -> None:
    settings.POLLY = {}
    assert resolve(None) is LLMModelType.SMOLLM2_135M_INSTRUCT
    settings.POLLY = {"DEFAULT_MODEL": "DUMMY"}
    assert resolve(None) is LLMModelType.DUMMY


def test_key_is_read_at_use_when_it_lies_in_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = LLMModelType.GPT_5_4_MINI
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert model.api_key is None
    monkeypatch.setenv("OPENAI_API_KEY", "sk-later")
    assert model.api_key == "sk-later"


def test_key_is_hidden_when_a_model_is_shown(settings: Settings) -> None:
    settings.POLLY = {"MODELS": {"MINE": ENTRY}}
    model = LLMModelType["MINE"]
    assert model.api_key == "sk-very-secret"
    assert "very-secret" not in f"{model!r} {model}"


def test_hosted_models_are_in_the_price_list_of_litellm() -> None:
    prices = load().model_cost
    for model in LLMModelType:
        if model.place is Place.HOSTED:
            short = model.litellm_model.split("/", 1)[1]
            assert model.litellm_model in prices or short in prices


def test_words_in_labels_are_the_readers() -> None:
    dummy = LLMModelType.DUMMY
    with override("de"):
        assert dict(LLMModelType.choices)["DUMMY"].startswith("Dummy (gibt immer")
        assert str(dummy.label) == dict(LLMModelType.choices)["DUMMY"]
    with override("en"):
        assert dict(LLMModelType.choices)["DUMMY"].startswith("Dummy (always")
    assert {dummy.entry: 1}[dummy.entry] == 1
