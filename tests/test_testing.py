"""polly_htmx.testing: what docs/testing.md shows runs in a site's own test session."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from polly_htmx.llm import LLMConnect, LLMModelType, exceptions, scripted
from polly_htmx.markdown import render
from polly_htmx.testing import HOSTILE_HTML, UNCLOSED_FENCE, fixtures, scripted_model
from tests import readme
from tests.oracle import findings
from tests.test_docs import table

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs/testing.md"
SNIPPETS = {
    label: text for _, label, text in readme.FENCE.findall(DOCUMENT.read_text())
}
PATIENCE = 100
"""Seconds that a test session of a site may take."""
BY_TIME = {"hang", "stall"}
"""Faults that a deadline ends."""


def run(folder: Path, *command: str, django: str = "tests.settings") -> str:
    """Run a program of a site in its folder, and return what it said."""
    result = subprocess.run(
        [sys.executable, *command],
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": django},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


@pytest.mark.live
@pytest.mark.parametrize("by_name", [False, True])
def test_tests_of_a_site_run_as_shown(tmp_path: Path, by_name: bool) -> None:
    (tmp_path / "pytest.ini").touch()
    (tmp_path / "test_chat.py").write_text(SNIPPETS["test_chat.py"])
    options = ["-p", "no:cacheprovider", "-p", "no:randomly"]
    if by_name:
        options += ["-p", "polly_htmx.testing.fixtures"]
    else:
        (tmp_path / "conftest.py").write_text(SNIPPETS["conftest.py"])
    assert "3 passed" in run(tmp_path, "-m", "pytest", *options)


@pytest.mark.live
def test_tests_of_a_site_without_pytest_run_as_shown(tmp_path: Path) -> None:
    (tmp_path / "test_parrots.py").write_text(SNIPPETS["test_parrots.py"])
    assert "Ran 1 test" in run(tmp_path, "-m", "django", "test", "test_parrots")


def test_pytest_is_needed_for_the_fixtures_alone(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pytest'] = None; import django; django.setup(); "
        "from polly_htmx.testing import scripted_model, run_replies"
    )
    run(tmp_path, "-c", code)


def test_all_is_told() -> None:
    assert set(SNIPPETS) == {
        "conftest.py",
        "test_chat.py",
        "test_parrots.py",
        "one model",
    }
    told = {name for name, *_rest in table(DOCUMENT, "fixture")}
    assert told == {name for name in vars(fixtures) if name.startswith("polly_")}
    names = {name for cell, _ in table(DOCUMENT, "name") for name in cell.split("`, `")}
    known = str(scripted.ScriptedInvoker.__doc__)
    assert {name for name in names if f"{name}:" not in known} == set()
    faults = {name for name, *_rest in table(DOCUMENT, "fault")}
    assert faults == {*scripted.AT_ONCE, *scripted.ENDINGS, "error", "hang", "stall"}


@pytest.mark.parametrize(
    ("fault", "error"),
    [(fault, error) for fault, _, error in table(DOCUMENT, "fault")],
)
def test_faults_are_as_told(fault: str, error: str, settings: LazySettings) -> None:
    if fault in BY_TIME:
        settings.POLLY = {"FIRST_TOKEN_TIMEOUT": 0.1, "GAP_TIMEOUT": 0.1}
    with scripted_model("One two three four five", fault=fault):
        invoker = LLMConnect().invoker()
        if error.startswith("none"):
            assert invoker.send_message("Hi").finish_reason == "length"
            return
        with pytest.raises(exceptions.LLMError) as raised:
            invoker.send_message("Hi")
    assert raised.value.code == error
    if fault == "cut-word":
        assert invoker.reply.text == "One two th"


def test_every_model_is_played_and_heard() -> None:
    names = [name for name, _label in LLMModelType.choices]
    with scripted_model("one", "two") as script:
        for name in names:
            invoker = LLMConnect(name, system_prompt="Be brief.").invoker()
            said = [invoker.send_message(text).text for text in "abc"]
            assert said == ["one", "two", "two"]
    assert len(script.asked) == 3 * len(names)
    assert [each["content"] for each in script.asked[1]] == [
        "Be brief.",
        "a",
        "one",
        "b",
    ]


def test_tools_can_be_asked_for() -> None:
    call = {"name": "feed", "arguments": {"what": "nuts"}}
    with scripted_model(tool_call=call):
        reply = LLMConnect().ask("Feed her")
    (asked,) = reply.tool_calls
    assert (asked.name, asked.arguments) == ("feed", '{"what": "nuts"}')
    assert (reply.text, reply.finish_reason) == ("", "tool_calls")


def test_own_settings_stay(settings: LazySettings) -> None:
    settings.POLLY = {"RETRIES": 1, "MAX_MESSAGE_CHARS": 9}
    with scripted_model(fault="unavailable", text="x") as script:
        assert settings.POLLY["MAX_MESSAGE_CHARS"] == 9
        with pytest.raises(exceptions.Unavailable):
            LLMConnect().ask("Hi")
    assert len(script.asked) == 2
    assert "MODELS" not in settings.POLLY


def test_texts_are_what_they_are_called() -> None:
    assert findings(HOSTILE_HTML)
    assert not findings(render(HOSTILE_HTML))
    assert "</code></pre>" in render(UNCLOSED_FENCE)


def test_one_model_is_played(settings: LazySettings) -> None:
    space: dict[str, Any] = {}
    exec(SNIPPETS["one model"], space)
    settings.POLLY = space["POLLY"]
    assert LLMConnect("PLAYED").ask("Hi").text == "Hello."
