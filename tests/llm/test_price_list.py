"""What litellm's table says of models, read without litellm."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from polly_htmx.llm import LLMModelType, price_list
from polly_htmx.llm.figures import Figures
from polly_htmx.llm.litellm_port import load
from polly_htmx.llm.model_entry import Place

HOSTED = [model for model in LLMModelType if model.place is Place.HOSTED]


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what was read, before and after."""
    monkeypatch.setattr(price_list, "_rows", None)


@pytest.mark.parametrize("model", HOSTED, ids=lambda model: model.name)
def test_every_hosted_model_is_in_the_table(model: LLMModelType) -> None:
    figures = price_list.figures(model.litellm_model)
    assert figures is not None
    assert (figures.context_window or 0) > 100_000
    assert figures.price is not None
    assert 0 < figures.price.input < figures.price.output < Decimal("0.001")
    assert figures.takes.tools is True
    assert model.label
    assert model.entry.api_key_source


@pytest.mark.parametrize("model", HOSTED, ids=lambda model: model.name)
def test_litellm_asks_the_provider_that_is_meant(model: LLMModelType) -> None:
    _name, provider, *_ = load().get_llm_provider(model.litellm_model)
    assert provider == model.litellm_model.partition("/")[0]


def test_figures_are_those_of_litellm_itself() -> None:
    theirs = load().get_model_info("openai/gpt-5.4-mini")
    ours = price_list.figures("openai/gpt-5.4-mini")
    assert ours is not None
    assert ours.price is not None
    assert ours.context_window == theirs["max_input_tokens"]
    assert float(ours.price.input) == theirs["input_cost_per_token"]
    assert float(ours.price.output) == theirs["output_cost_per_token"]


@pytest.mark.parametrize(
    "name",
    [
        *("openai/no-such-model", "nothing", "", "/", "sample_spec"),
        "mine/gpt-5.4-mini",  # of another provider
        "openai/claude-haiku-4-5",
        "openai/text-embedding-3-small",  # answers with no text
    ],
)
def test_nothing_is_made_up(name: str) -> None:
    assert price_list.figures(name) is None


def test_efforts_are_those_that_the_model_knows() -> None:
    mistral = price_list.figures("mistral/mistral-small-latest")
    sol = price_list.figures("openai/gpt-6.1-sol")
    assert mistral is not None
    assert sol is not None
    assert set(mistral.efforts or ()) == {"none", "high"}
    assert set(sol.efforts or ()) == {"low", "medium", "high", "xhigh", "max"}


def test_silence_about_the_system_prompt_is_no_refusal() -> None:
    haiku = price_list.figures("anthropic/claude-haiku-4-5")
    gemma = price_list.figures("gemini/gemma-3-27b-it")
    assert haiku is not None
    assert gemma is not None
    assert haiku.takes.system_prompt is None
    assert gemma.takes.system_prompt is False


def test_table_that_can_not_be_read_leaves_all_models_usable(
    unread: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / price_list.FILE).write_text("<html>")
    monkeypatch.setattr(price_list, "_folder", lambda: tmp_path)
    assert price_list.figures("openai/gpt-5.4-mini") is None
    assert "can't be read" in caplog.text
    assert LLMModelType.GPT_5_4_MINI.figures == Figures()


def test_table_is_read_once_by_many_threads(
    unread: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []
    read = json.loads

    def counted(text: bytes) -> object:
        reads.append(1)
        return read(text)

    monkeypatch.setattr(json, "loads", counted)
    threads = [threading.Thread(target=price_list.read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reads) == 1
    assert price_list.read() is price_list.read()


def test_litellm_is_not_imported_for_it() -> None:
    code = (
        "import sys, django\n"
        "from django.conf import settings\n"
        "settings.configure()\n"
        "django.setup()\n"
        "from polly_htmx.llm.model_type import LLMModelType\n"
        "assert LLMModelType.GPT_6_SOL.price\n"
        "assert LLMModelType.grouped_choices\n"
        "assert not {'litellm', 'openai', 'xllamacpp'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
