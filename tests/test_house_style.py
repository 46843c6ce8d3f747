"""The size of things: small enough to be read in one go."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PYTHON_FOLDERS = ("polly_htmx", "sandbox", "scripts", "benchmarks")
WORST = 5

Size = tuple[int, str]


def python_files() -> list[Path]:
    """Return our modules; migrations are written by Django."""
    found = [path for name in PYTHON_FOLDERS for path in (ROOT / name).rglob("*.py")]
    return [path for path in found if "migrations" not in path.parts]


def lines_of(paths: list[Path]) -> list[Size]:
    """Return how many lines each file has."""
    return [(len(path.read_text().splitlines()), name(path)) for path in paths]


def name(path: Path) -> str:
    """Return a file's path inside the repository."""
    return str(path.relative_to(ROOT))


def functions() -> Iterator[Size]:
    """Yield how many lines each function has, its docstring among them."""
    for path in python_files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                yield length, f"{name(path)}:{node.lineno} {node.name}"


def modules() -> list[Size]:
    """Return the sizes of our modules."""
    return lines_of(python_files())


def templates() -> list[Size]:
    """Return the sizes of our templates."""
    folders = (ROOT / "templates", ROOT / "sandbox" / "templates")
    return lines_of([path for root in folders for path in root.rglob("*.html")])


def stylesheets() -> list[Size]:
    """Return the sizes of our stylesheets, as people write them."""
    return lines_of(list((ROOT / "static").rglob("css/*.css")))


@pytest.mark.parametrize(
    ("measure", "limit"),
    [(modules, 300), (functions, 40), (templates, 60), (stylesheets, 200)],
)
def test_nothing_grows_too_long(
    measure: Callable[[], list[Size]], limit: int, capsys: pytest.CaptureFixture[str]
) -> None:
    worst = sorted(measure(), reverse=True)
    with capsys.disabled():
        print(f"\nLongest {measure.__name__} of at most {limit} lines:")
        for length, where in worst[:WORST]:
            print(f"{length:5} {where}")
    too_long = [where for length, where in worst if length > limit]
    assert not too_long


def test_every_module_says_in_its_first_sentence_what_it_is() -> None:
    silent = [
        name(path)
        for path in python_files()
        if path.read_text() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert not silent


@pytest.mark.parametrize("path", sorted(ROOT.glob("tests/**/*.py")), ids=name)
def test_a_test_module_that_patches_says_why(path: Path) -> None:
    silent = [
        line
        for line in path.read_text().splitlines()
        if re.match(r"(from|import)\b.*\b(mock|MagicMock|patch)\b(?!.*#)", line)
    ]
    assert not silent
