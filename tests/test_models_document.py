"""docs/models.md: what it shows pleases the checks, and runs."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils.module_loading import import_string

from polly_htmx.checks.keys import check_polly
from polly_htmx.checks.models import check_entries, check_names, check_readiness
from polly_htmx.conf import conf
from polly_htmx.hooks import Hook
from polly_htmx.llm import LLMConnect, LLMModelType, exceptions
from polly_htmx.testing import scripted_model
from tests import readme

DOCUMENT = Path(__file__).resolve().parent.parent / "docs/models.md"
SNIPPETS = {
    label: text for _, label, text in readme.FENCE.findall(DOCUMENT.read_text())
}
SETTINGS = {"servers", "hosted", "backend settings"}
MISSING = {"polly.E025", "polly.W021"}
"""What the checks say of files and keys that the tests don't have."""


@pytest.fixture
def mysite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Write the backend and the hook to the reader's site."""
    folder = tmp_path / "mysite"
    folder.mkdir()
    for name in ("backend.py", "summaries.py"):
        (folder / name).write_text(SNIPPETS[name])
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "mysite"]:
        del sys.modules[name]


def polly(label: str) -> dict[str, Any]:
    """Return the settings of a snippet."""
    space: dict[str, Any] = {}
    exec(SNIPPETS[label], space)
    found: dict[str, Any] = space["POLLY"]
    return found


def test_every_snippet_is_run_here() -> None:
    assert set(SNIPPETS) == SETTINGS | {"backend.py", "summaries.py", "structured"}


@pytest.mark.usefixtures("mysite")
@pytest.mark.parametrize("label", sorted(SETTINGS))
def test_settings_please_the_checks(label: str, settings: LazySettings) -> None:
    settings.POLLY = polly(label)
    said = [*check_entries(), *check_names(), *check_readiness()]
    found = [each for each in said if each.id not in MISSING]
    # An address of this very machine needs no encryption.
    assert [each for each in found if "127.0.0.1" not in each.msg] == []
    assert check_polly() == []
    for name in settings.POLLY["MODELS"]:
        assert name in dict(LLMModelType.choices)
        LLMConnect(name).invoker()


def test_settings_that_are_named_exist() -> None:
    text = DOCUMENT.read_text()
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)*)`", text))
    keys = {name for name in named if not name.endswith("_API_KEY")}
    assert keys <= set(conf.types())
    sources = {str(each.entry.api_key_source) for each in LLMModelType}
    assert {f"env:{name}" for name in named - keys} <= sources


@pytest.mark.usefixtures("mysite")
async def test_own_backend_answers(settings: LazySettings) -> None:
    settings.POLLY = polly("backend settings")
    invoker = LLMConnect().invoker()
    assert (await invoker.asend_message("Polly says hi")).text == "POLLY SAYS HI "
    settings.POLLY["RETRIES"] = 0
    with pytest.raises(exceptions.Unavailable):
        await LLMConnect(closed=True).invoker().asend_message("Hi")


def test_own_backend_is_short() -> None:
    assert len(SNIPPETS["backend.py"].splitlines()) <= 20


@pytest.mark.usefixtures("mysite")
async def test_hook_sums_up() -> None:
    hook: Hook = import_string("mysite.summaries.Summaries")()
    left_out = [{"role": "user", "content": "Parrots are green."}]
    said: Any = hook.summary("", left_out=left_out, reply=None)  # type: ignore[arg-type]
    assert await said == "Before, they spoke of: Parrots."


def test_data_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with scripted_model('{"name": "Polly", "age": 7}'):
        exec(SNIPPETS["structured"], {})
    assert capsys.readouterr().out == "Polly 7\n"
