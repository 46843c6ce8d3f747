"""The gate runs every test: what a part leaves out, it has none of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.gate import NO_PROCESSES, WITH_ALONE

TESTS = Path(__file__).resolve().parent


def marked(name: str) -> set[str]:
    """Return the modules that give a marker to some of their tests."""
    return {
        path.relative_to(TESTS).as_posix()
        for path in TESTS.rglob("*.py")
        if re.search(rf"\bmark\.{name}\b", path.read_text())
    }


def test_tests_with_a_browser_lie_in_their_folder() -> None:
    found = marked("browser")
    assert found
    assert not [each for each in found if not each.startswith("browser/")]


@pytest.mark.parametrize("option", NO_PROCESSES)
def test_folders_that_start_no_process_start_none(option: str) -> None:
    folder = TESTS.parent / option.removeprefix("--ignore=")
    assert folder.is_dir()
    inside = {each for each in marked("live") if (TESTS / each).is_relative_to(folder)}
    # Those with a browser have a part of their own.
    assert inside <= marked("browser")


def test_tests_that_want_the_machine_lie_where_they_are_looked_for() -> None:
    # Those with a browser have a part of their own.
    found = marked("alone") - marked("browser")
    assert found
    folders = tuple(f"{name.removeprefix('tests/')}/" for name in WITH_ALONE)
    assert not [each for each in found if not each.startswith(folders)]
