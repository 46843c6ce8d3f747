from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.test import override_settings

from polly_htmx.checks.database import check_parrots
from polly_htmx.llm import files
from polly_htmx.models import Parrot
from tests.checks.sites import CASES, Settings, entry, polly

ROOT = Path(__file__).resolve().parent.parent.parent
SECRET = "sk-canary-of-a-key"


def found(site: Settings, *, tags: tuple[str, ...] = ("polly",)) -> list[CheckMessage]:
    with override_settings(**site):
        return run_checks(tags=list(tags), include_deployment_checks=True)


def ids(messages: list[CheckMessage]) -> set[str]:
    return {str(each.id).removeprefix("polly.") for each in messages}


@pytest.mark.parametrize(
    ("number", "failing", "passing"),
    CASES,
    ids=[f"{case[0]}-{number}" for number, case in enumerate(CASES)],
)
def test_check_fails_and_passes(
    number: str, failing: Settings, passing: Settings
) -> None:
    messages = [each for each in found(failing) if each.id == f"polly.{number}"]
    assert messages
    for each in messages:
        assert each.msg.endswith(".")
        assert each.hint
        assert each.is_serious() == number.startswith("E")
    assert number not in ids(found(passing))


def test_every_number_has_a_case() -> None:
    source = "".join(
        path.read_text() for path in (ROOT / "polly_htmx/checks").glob("*.py")
    )
    numbers = set(re.findall(r"polly\.([EW]\d{3})", source))
    apart = {"E025", "W004", "W020", "W030"}
    assert numbers == {case[0] for case in CASES} | apart


def test_site_as_in_the_readme_has_no_errors() -> None:
    assert not [each for each in found({"POLLY": {}}) if each.is_serious()]


@pytest.mark.parametrize(
    ("key", "hint"),
    [("DEFAULT_MODLE", "DEFAULT_MODEL"), ("default_model", "DEFAULT_MODEL")],
)
def test_unknown_key_gets_the_nearest_one_as_a_hint(key: str, hint: str) -> None:
    [message] = [each for each in found(polly(**{key: 1})) if each.id == "polly.E011"]
    assert f"Did you mean '{hint}'?" in (message.hint or "")


def test_key_like_no_other_gets_the_list_of_all() -> None:
    [message] = [each for each in found(polly(zzzz=1)) if each.id == "polly.E011"]
    assert "Did you mean" not in (message.hint or "")
    assert "WEBSOCKET_PREFIX" in (message.hint or "")


@pytest.mark.parametrize(
    "site",
    [
        entry(api_key=SECRET),
        entry(api_key=SECRET, nonsense=1),
        entry(api_key=[SECRET]),
        polly(MODELS=[{"api_key": SECRET}]),
        polly(MODELS={"OURS": SECRET}),
        {"POLLY": SECRET},
    ],
)
def test_no_message_shows_a_key(site: Settings) -> None:
    assert SECRET not in "".join(map(str, found(site)))


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the model's wheel, which may be installed here."""
    monkeypatch.setattr(files, "WHEEL", "no_such_package")


def test_missing_file_is_an_error_for_a_model_that_polly_names(
    tmp_path: Path, no_wheel: None
) -> None:
    where = {"AI_MODELS_PATH": tmp_path}
    name = {"DEFAULT_MODEL": "SMOLLM2_135M_INSTRUCT"}
    assert "E025" in ids(found({"POLLY": where | name}))
    untouched = found({"POLLY": where})
    assert "W020" in ids(untouched)
    assert "E025" not in ids(untouched)
    own = {"MODELS": {"OURS": {"file": "ours.gguf"}}}
    assert "E025" in ids(found({"POLLY": where | own}))
    # As a fallback it is named, too.
    fallback = entry(fallbacks=list(name.values()))["POLLY"]
    assert "E025" in ids(found({"POLLY": where | fallback}))


def test_file_that_is_there_is_no_error(tmp_path: Path, no_wheel: None) -> None:
    pytest.importorskip("xllamacpp")
    file = tmp_path / "SmolLM2-135M-Instruct.Q4_1.gguf"
    where = {"POLLY": {"AI_MODELS_PATH": tmp_path}}
    file.write_bytes(b"<html>404")
    [warning] = [each for each in found(where) if each.id == "polly.W020"]
    assert "not a GGUF" in warning.msg
    file.write_bytes(b"GGUF")
    assert not {"E025", "W020"} & ids(found(where))


@pytest.mark.parametrize(
    ("options", "is_fine"),
    [
        ({}, False),
        ({"timeout": 20}, False),
        ({"transaction_mode": "IMMEDIATE"}, False),
        ({"transaction_mode": "DEFERRED", "timeout": 20}, False),
        ({"transaction_mode": "immediate", "timeout": 20}, True),
    ],
)
def test_sqlite_must_wait_and_lock_early(
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    options: dict[str, Any],
    is_fine: bool,
) -> None:
    # override_settings() warns of DATABASES; nothing is opened by this.
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": options}
    monkeypatch.setitem(settings.DATABASES, "default", sqlite)
    assert ("W004" not in ids(found({}))) == is_fine


def test_other_databases_need_no_such_options(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    postgres = {"ENGINE": "django.db.backends.postgresql"}
    monkeypatch.setitem(settings.DATABASES, "default", postgres)
    assert "W004" not in ids(found({}))


def test_parrot_with_a_lost_model_is_found_in_the_database(parrot: Parrot) -> None:
    def lost() -> list[CheckMessage]:
        messages = run_checks(tags=["database"], databases=["default"])
        return [each for each in messages if each.id == "polly.W030"]

    assert not lost()
    Parrot.objects.update(model="GONE")
    [warning] = lost()
    assert "'GONE'" in warning.msg
    with override_settings(**polly(MODELS={"GONE": {"model": "openai/x"}})):
        assert not lost()
    Parrot.objects.update(model="DUMMY", fallbacks=["LOST", "GPT_5_4", 7, "GONE"])
    [warning] = lost()
    assert "a fallback that is not known: 'GONE', 'LOST'." in warning.msg
    Parrot.objects.update(fallbacks={"no": "list"})
    assert not lost()
    Parrot.objects.update(model="GONE", retired_at=parrot.created_at)
    assert not lost()


def test_database_is_left_alone_unless_asked_for() -> None:
    # There is no access to a database in this test: a query would fail it.
    found({})
    assert check_parrots() == []
    assert check_parrots(databases=["another"]) == []


def test_checks_pass_over_a_database_without_tables(tmp_path: Path) -> None:
    result = manage("check", "--database", "default", POLLY_TEST_SQLITE=tmp_path / "x")
    assert result.returncode == 0, result.stderr


def manage(*command: str, **variables: object) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    own = {
        name: value
        for name, value in os.environ.items()
        if name != "POLLY_TEST_DATABASE"
    }
    env = own | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *command],
        check=False,
        cwd=ROOT,
        env=env | {name: str(value) for name, value in variables.items()},
        capture_output=True,
        text=True,
    )


SCRIPT = """
import sys
from django.conf import settings
from django.core.management import execute_from_command_line
if "--broken" in sys.argv:
    sys.argv.remove("--broken")
    settings.POLLY = ["nonsense"]
try:
    execute_from_command_line(["manage.py", *sys.argv[1:]])
finally:
    print("HEAVY", sorted({"litellm", "openai", "xllamacpp"} & set(sys.modules)))
"""


def test_check_loads_neither_litellm_nor_the_engine() -> None:
    result = manage("check")
    assert result.returncode == 0, result.stderr
    assert "HEAVY []" in result.stdout


def test_check_tells_of_a_setting_that_is_no_dict_and_ends_well() -> None:
    result = manage("check", "--broken")
    assert result.returncode == 1
    assert "polly.E010" in result.stderr
    assert "Traceback" not in result.stderr
