"""
The one gate: lint, types, and the suite on each database and each Django.

    python -m scripts.gate                 everything, as `make test` does
    python -m scripts.gate ruff pytest     the steps whose names hold a word

Each step says its name before and its time after. A failure ends the gate at the end
of its group: all the linters speak before one of them stops the tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from scripts.interpreters import find
from scripts.postgres import cluster
from scripts.requirements import ROOT
from scripts.system import Missing, require_all

BIN = Path(sys.executable).parent
# What may run side by side, what may not, and what the further Pythons and
# databases leave out: they would show nothing new there.
SHARED = "not alone and not browser and not live"
ALONE = "alone and not browser"
LIVE = "live and not alone and not browser"
ALONE_AGAIN = "alone and not browser and not live"
# Tests that use no database have nothing to show on another one.
NO_DATABASE = ("--ignore=tests/markdown", "--ignore=tests/llm")
# Long, and the same under every Django.
NO_DJANGO = (
    "--ignore=tests/markdown/test_limits.py",
    "--ignore=tests/markdown/test_stream.py",
)
JOBS = os.environ.get("POLLY_JOBS", str(min(os.cpu_count() or 1, 4)))
COVERAGE = ("--cov", "--cov-report=", "--cov-fail-under=0")
TEMPLATE_FOLDERS = ("templates", "sandbox", "tests")


class Failed(Exception):
    """A step of the gate did not pass."""


def run(*command: str) -> None:
    """Run a tool of this environment, or any program given by its path."""
    tool = BIN / command[0]
    program = str(tool) if tool.exists() else command[0]
    result = subprocess.run(
        [program, *command[1:]],
        check=False,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
    )
    if result.returncode:
        raise Failed(" ".join(command)[:200])


def pytest(*options: str) -> None:
    """Run a part of the suite with warnings of all kinds on."""
    run("python", "-X", "dev", "-m", "pytest", "--quiet", *options)


def suite_again(python: str, *options: str) -> None:
    """Run the suite without a browser, daphne, and measuring of any kind."""
    run(python, "-m", "pytest", "--quiet", "-n", JOBS, "-m", SHARED, *options)


def templates() -> list[str]:
    """Return the templates that are ours."""
    found = (
        path for name in TEMPLATE_FOLDERS for path in (ROOT / name).rglob("*.html")
    )
    return sorted(str(path.relative_to(ROOT)) for path in found)


def find_programs() -> None:
    """Find or install what pip cannot, and tell the tests which Chromium to use."""
    programs = require_all()
    for name, path in programs.items():
        print(f"{name}: {path}")
    os.environ["POLLY_CHROMIUM"] = programs["Chromium"]


def template_style() -> None:
    """Check the form of our templates."""
    if found := templates():
        run("djade", "--check", "--target-version", "5.2", *found)


def template_rules() -> None:
    """Check what our templates may not hold."""
    if found := templates():
        rules = str(ROOT / ".djlint_rules.yaml")
        run("djlint", "--lint", "--quiet", "--rules", rules, *found)


def migrations() -> None:
    """Check that models and migrations agree, in a site as users have it."""
    run("python", "sandbox/manage.py", "makemigrations", "--check", "--dry-run")


def suite() -> None:
    """Run what may run side by side, on SQLite."""
    run("coverage", "erase")
    pytest("-n", JOBS, "-m", SHARED, *COVERAGE)


def suite_alone() -> None:
    """Run what wants the machine to itself, one test after the other."""
    pytest("-m", ALONE, "--cov-append", *COVERAGE)


def suite_live() -> None:
    """
    Run what starts processes of its own, and breaks them.

    These tests mostly wait, so two at a time; the tests of a file share services.
    """
    shared = ("-n", JOBS, "--dist", "loadfile")
    pytest(*shared, "-m", LIVE, "--cov-append", *COVERAGE)


def suite_browser() -> None:
    """Run what drives Chromium; these tests mostly wait, so two at a time."""
    pytest("-n", JOBS, "-m", "browser", "--cov-append", *COVERAGE)


def suite_postgres() -> None:
    """Run the suite again on a throw-away PostgreSQL."""
    with cluster() as variables:
        os.environ.update(variables | {"POLLY_TEST_DATABASE": "postgres"})
        try:
            suite_again("python", *NO_DATABASE)
        finally:
            for name in (*variables, "POLLY_TEST_DATABASE"):
                del os.environ[name]


def suite_newer() -> None:
    """Run the suite again on Python 3.12 or 3.13, which bring Django 6."""
    if sys.version_info >= (3, 12):
        print("This Python brings Django 6 already; the suite above ran on it.")
        return
    python = find("3.13", "3.12")
    if python is None:
        print("LEFT OUT: no Python 3.12 or 3.13 was found (PATH, pyenv), so nothing")
        print("ran on Django 6. Install one of them to run this part.")
        return
    version = subprocess.check_output([python, "-V"], text=True).split()[1]
    folder = f".venv-{'.'.join(version.split('.')[:2])}"
    run(python, str(ROOT / "scripts" / "environment.py"), folder, "test")
    python = str(ROOT / folder / "bin" / "python")
    run(
        python,
        "-c",
        "import django, sys; print(sys.version, 'Django', django.__version__)",
    )
    suite_again(python, *NO_DJANGO)
    run(python, "-m", "pytest", "--quiet", "-m", ALONE_AGAIN)


Step = tuple[str, Callable[[], None]]

GROUPS: list[list[Step]] = [
    [("programs: Chromium, PostgreSQL, Redis", find_programs)],
    [
        ("ruff format", lambda: run("ruff", "format", "--check", ".")),
        ("ruff check", lambda: run("ruff", "check", ".")),
        ("import-linter", lambda: run("lint-imports", "--no-logo")),
        ("mypy", lambda: run("mypy", "polly_htmx", "tests", "sandbox", "scripts")),
        ("djade", template_style),
        ("djlint", template_rules),
        ("oxlint", lambda: run("oxlint", "--deny-warnings", "static")),
        ("typos", lambda: run("typos", "--format", "brief")),
        ("migrations", migrations),
    ],
    [
        ("pytest on SQLite", suite),
        ("pytest one by one", suite_alone),
        ("pytest with processes", suite_live),
        ("pytest with browser", suite_browser),
        ("coverage", lambda: run("coverage", "report")),
    ],
    [
        ("pytest on PostgreSQL", suite_postgres),
        ("pytest on Python 3.12 or newer", suite_newer),
    ],
]


def passes(name: str, step: Callable[[], None]) -> bool:
    """Run one step, between its name and its time."""
    print(f"\n=== {name}", flush=True)
    begun = time.monotonic()
    try:
        step()
    except (Failed, Missing) as exc:
        print(f"--- FAILED: {exc}", flush=True)
        return False
    print(f"--- {time.monotonic() - begun:.1f} s", flush=True)
    return True


def main(words: list[str]) -> int:
    """Run the groups in order, and stop after the first with a failure."""
    started = time.monotonic()
    for group in GROUPS:
        steps = [
            step for step in group if not words or any(w in step[0] for w in words)
        ]
        failed = [name for name, step in steps if not passes(name, step)]
        if failed:
            print(f"\n=== FAILED: {', '.join(failed)}", flush=True)
            return 1
    print(f"\n=== All passed in {time.monotonic() - started:.0f} s.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
