"""The gate's second try: a few failures get one, and none is kept quiet."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import pytest

from scripts import suite
from scripts.lanes import Failed, Shell

ONCE = """
from pathlib import Path

def test_steady():
    with Path({log!r}).open("a") as log:
        log.write("steady ")

def test_unsteady():
    with Path({log!r}).open("a") as log:
        log.write("unsteady ")
    assert Path({log!r}).read_text().count("unsteady") > 1
"""


@pytest.fixture
def output(tmp_path: Path) -> IO[str]:
    return (tmp_path / "output").open("w+")


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(suite, "unsteady", names)
    return names


def run(folder: Path, source: str, output: IO[str]) -> None:
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_some.py").write_text(source)
    with output:
        command = ("python", "-m", "pytest", "-p", "no:randomly", str(folder))
        suite.pytest(Shell(output=output), *command)


def test_a_test_that_passes_by_itself_is_named(
    tmp_path: Path, output: IO[str], told: list[str]
) -> None:
    log = tmp_path / "log"
    run(tmp_path, ONCE.format(log=str(log)), output)
    assert told == ["test_some.py::test_unsteady"]
    # Only what failed runs again.
    assert log.read_text().split() == ["steady", "unsteady", "unsteady"]


def test_a_test_that_fails_again_fails_the_gate(
    tmp_path: Path, output: IO[str], told: list[str]
) -> None:
    with pytest.raises(Failed):
        run(tmp_path, "def test_wrong():\n    assert False\n", output)
    assert not told


def test_many_failures_get_no_second_try(tmp_path: Path, output: IO[str]) -> None:
    tests = (f"def test_{n}():\n    assert False\n" for n in range(suite.AGAIN + 1))
    with pytest.raises(Failed):
        run(tmp_path, "\n".join(tests), output)
    assert "Once more" not in (tmp_path / "output").read_text()


def test_a_run_that_cannot_begin_fails_the_gate(
    tmp_path: Path, output: IO[str]
) -> None:
    with pytest.raises(Failed):
        run(tmp_path, "import nothing_of_that_name\n", output)
