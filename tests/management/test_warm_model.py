"""warm_model: does a model answer, and what does it cost to ask."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests.fake_provider import FakeProvider
from tests.fake_scripts import SCRIPTS
from tests.live import provided
from tests.patience import PATIENCE
from tests.programs import ROOT

Script = Callable[..., None]


def warmed(*arguments: str) -> str:
    out = io.StringIO()
    call_command("warm_model", *arguments, stdout=out)
    return out.getvalue()


def test_default_model_is_asked_where_that_is_free() -> None:
    text = warmed()
    assert "First words: " in text
    assert "DUMMY answers." in text


def test_model_that_may_cost_money_is_called_only_if_told(scripted: Script) -> None:
    scripted(fault="unavailable")
    assert warmed() == "SCRIPTED is set up. --call asks it for one token.\n"
    with pytest.raises(CommandError, match="cannot be reached"):
        warmed("--call")
    scripted(fault="empty")
    assert "SCRIPTED answers." in warmed("--call")
    scripted(text="Hello")
    assert "SCRIPTED answers." in warmed("SCRIPTED", "--call")


def test_hosted_model_is_asked_for_one_token(settings: Settings) -> None:
    with FakeProvider(SCRIPTS) as provider:
        entry = {"model": "openai/good", "api_base": provider.url, "api_key": "sk-x"}
        settings.POLLY = {"MODELS": {"HOSTED": entry}}
        warmed("HOSTED")
        assert provider.exchanges == []
        assert "HOSTED answers." in warmed("HOSTED", "--call")
        assert provider.exchanges[-1].body["max_tokens"] == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("NONE", "no model named 'NONE'"),
        ("GPT_5_4_MINI", "OPENAI_API_KEY is empty. Set"),
        ("OWN", "m.gguf is missing. Run: manage.py download_model m.gguf"),
        ("BROKEN", "There is no no.such.Backend"),
    ],
)
def test_what_is_missing_is_told(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    reason: str,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    own, broken = {"file": "m.gguf"}, {"backend": "no.such.Backend"}
    models = {"OWN": own, "BROKEN": broken}
    settings.POLLY = {"AI_MODELS_PATH": tmp_path, "MODELS": models}
    with pytest.raises(CommandError, match=reason) as caught:
        warmed(name)
    assert caught.value.returncode == 1


@pytest.mark.alone
def test_local_model_is_loaded_and_measured() -> None:
    pytest.importorskip("xllamacpp")
    lines = warmed("SMOLLM2_135M_INSTRUCT").splitlines()
    starts = ["Loaded: ", "First words: ", "Speed: ", "SMOLLM2_135M_INSTRUCT answers."]
    assert [line.startswith(start) for line, start in zip(lines, starts, strict=True)]


@pytest.mark.live
def test_ctrl_c_ends_it_with_a_word() -> None:
    with FakeProvider(SCRIPTS) as provider:
        polly = provided(provider.url, "hang")
        command = [sys.executable, "-u", "-m", "django", "warm_model", "MOCK", "--call"]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "tests.settings",
                "POLLY_TEST_SETTINGS": json.dumps(polly),
                "NO_PROXY": "127.0.0.1",
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        while not provider.exchanges:
            assert process.poll() is None
            time.sleep(0.05)  # Nothing to wait on: the program asks when it asks.
        process.send_signal(signal.SIGINT)
        _out, err = process.communicate(timeout=PATIENCE)
        assert provider.last.closed.wait(PATIENCE)
    assert process.returncode == 130
    assert "Stopped." in err
    assert "Traceback" not in err
