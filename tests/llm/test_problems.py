from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from pytest_django import Settings

from polly_htmx.llm import LLMModelType, ModelEntry, problem


def test_models_that_are_ready_have_no_problem() -> None:
    assert problem(LLMModelType.DUMMY) is None
    assert problem(LLMModelType.SMOLLM2_135M_INSTRUCT) is None
    custom = ModelEntry("C", label="C", litellm_model="openai/c", backend="a.B")
    assert problem(custom) is None


def test_engine_is_missed_when_it_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Uninstalling it for one test is no option.
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    found = problem(LLMModelType.SMOLLM2_135M_INSTRUCT)
    assert found is not None
    assert "polly-htmx[local]" in found.hint


def test_file_is_missed_when_nobody_has_it(settings: Settings, tmp_path: Path) -> None:
    settings.POLLY = {"AI_MODELS_PATH": tmp_path}
    model = ModelEntry("M", label="M", litellm_model="openai/m", file="m.gguf")
    found = problem(model)
    assert found is not None
    assert "m.gguf is missing" in found.text
    assert str(tmp_path) in found.hint


def test_file_is_refused_when_it_is_a_web_page(
    settings: Settings, tmp_path: Path
) -> None:
    settings.POLLY = {"AI_MODELS_PATH": tmp_path}
    (tmp_path / "m.gguf").write_text("<html>404")
    model = ModelEntry("M", label="M", litellm_model="openai/m", file="m.gguf")
    found = problem(model)
    assert found is not None
    assert "not a GGUF" in found.text


def test_variable_is_named_when_the_key_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    found = problem(LLMModelType.GPT_5_4_MINI)
    assert found is not None
    assert "OPENAI_API_KEY" in found.hint
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    assert problem(LLMModelType.GPT_5_4_MINI) is None


def test_command_is_named_that_brings_a_known_file(
    settings: Settings, tmp_path: Path
) -> None:
    settings.POLLY = {"AI_MODELS_PATH": tmp_path}
    file = "qwen2.5-0.5b-instruct-q4_k_m.gguf"
    model = ModelEntry("Q", label="Q", litellm_model="openai/q", file=file)
    found = problem(model)
    assert found is not None
    assert "manage.py download_model qwen2.5-0.5b" in found.hint
