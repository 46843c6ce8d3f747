"""
The one gate: lint, types, and the suite on each database and each Django.

    python -m scripts.gate                 everything, as `make test` does
    python -m scripts.gate ruff pytest     the steps whose names hold a word

What a step says comes when it ends, with its name before and its time after. The
lanes of a group run side by side. A failure ends the gate at the end of its group:
all the linters speak before one of them stops the tests.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from scripts.interpreters import find
from scripts.lanes import Lane, Shell, failures, tool
from scripts.postgres import cluster
from scripts.requirements import ROOT
from scripts.suite import pytest, unsteady
from scripts.system import require_all

# What may run side by side, what may not, and what the further Pythons and
# databases leave out: they would show nothing new there.
SHARED = "not alone and not browser and not live"
ALONE = "alone and not browser"
LIVE = "live and not alone and not browser"
ALONE_AGAIN = "alone and not browser and not live"
# Tests that use no database have nothing to show on another one, nor do those that
# look at pages or at a provider, whatever the rows come from.
NO_DATABASE = (
    "--ignore=tests/markdown",
    "--ignore=tests/llm",
    "--ignore=tests/admin/test_plain.py",
    "--ignore=tests/admin/test_inert.py",
    "--ignore=tests/test_provider_faults.py",
    "--ignore=tests/test_members.py",
)
# Long, and the same under every Django: the small tests beside them tell whether
# another Python changes anything.
NO_DJANGO = (
    "--ignore=tests/markdown/test_commonmark.py",
    "--ignore=tests/markdown/test_highlight.py",
    "--ignore=tests/markdown/test_limits.py",
    "--ignore=tests/markdown/test_stream.py",
    "--ignore=tests/test_provider_faults.py",
)
# Thousands of tests that need no process: reading them takes longer than some parts.
NO_PROCESSES = tuple(
    f"--ignore=tests/{name}" for name in ("browser", "chat", "llm", "markdown")
)
# Those that want the machine to themselves lie here: reading all the others takes
# seconds in which the machine does nothing else.
WITH_ALONE = ("tests/llm", "tests/management")
JOBS = os.environ.get("POLLY_JOBS", str(min(os.cpu_count() or 1, 4)))
COVERAGE = ("--cov", "--cov-append", "--cov-report=", "--cov-fail-under=0")
# With warnings of all kinds on.
PYTEST = ("python", "-X", "dev", "-m", "pytest")
TEMPLATE_FOLDERS = ("templates", "sandbox", "tests")


def templates() -> list[str]:
    """Return the templates that are ours."""
    found = (
        path for name in TEMPLATE_FOLDERS for path in (ROOT / name).rglob("*.html")
    )
    return sorted(str(path.relative_to(ROOT)) for path in found)


def find_programs(shell: Shell) -> None:
    """Find or install what pip cannot, and tell the tests which Chromium to use."""
    programs = require_all()
    for name, path in programs.items():
        shell.say(f"{name}: {path}")
    os.environ["POLLY_CHROMIUM"] = programs["Chromium"]


def template_style(shell: Shell) -> None:
    """Check the form of our templates."""
    if found := templates():
        shell.run("djade", "--check", "--target-version", "5.2", *found)


def template_rules(shell: Shell) -> None:
    """Check what our templates may not hold."""
    if found := templates():
        rules = str(ROOT / ".djlint_rules.yaml")
        shell.run("djlint", "--lint", "--quiet", "--rules", rules, *found)


def migrations(shell: Shell) -> None:
    """Check that models and migrations agree, in a site as users have it."""
    shell.run("python", "sandbox/manage.py", "makemigrations", "--check", "--dry-run")


def suite(shell: Shell) -> None:
    """Run what may run side by side, on SQLite."""
    shell.run("coverage", "erase")
    pytest(shell, *PYTEST, "-m", SHARED, *COVERAGE, jobs=JOBS)


def suite_alone(shell: Shell) -> None:
    """Run what wants the machine to itself, one test after the other."""
    pytest(shell, *PYTEST, "-m", ALONE, *COVERAGE, *WITH_ALONE)


def suite_live(shell: Shell) -> None:
    """
    Run what starts processes of its own, and breaks them.

    The tests of a file share services. Nothing of ours runs in the tests' own
    process, so there is nothing to cover; so it is with a browser.
    """
    files = ("--dist", "loadfile", *NO_PROCESSES)
    pytest(shell, *PYTEST, "-m", LIVE, *files, jobs=JOBS)


def suite_browser(shell: Shell) -> None:
    """Run what drives Chromium."""
    pytest(shell, *PYTEST, "-m", "browser", "tests/browser", jobs=JOBS)


def suite_postgres(shell: Shell) -> None:
    """Run the suite again on a throw-away PostgreSQL."""
    with cluster() as variables:
        more = variables | {"POLLY_TEST_DATABASE": "postgres"}
        there = Shell(output=shell.output, variables=more)
        pytest(there, "python", "-m", "pytest", "-m", SHARED, *NO_DATABASE, jobs=JOBS)


def suite_newer(shell: Shell) -> None:
    """Run the suite again on Python 3.12 or 3.13, which bring Django 6."""
    if sys.version_info >= (3, 12):
        shell.say("This Python brings Django 6 already; the suite above ran on it.")
        return
    python = find("3.13", "3.12")
    if python is None:
        shell.say("LEFT OUT: no Python 3.12 or 3.13 was found (PATH, pyenv), so")
        shell.say("nothing ran on Django 6. Install one of them to run this part.")
        return
    version = subprocess.check_output([python, "-V"], text=True).split()[1]
    folder = f".venv-{'.'.join(version.split('.')[:2])}"
    shell.run(python, str(ROOT / "scripts" / "environment.py"), folder, "test")
    python = str(ROOT / folder / "bin" / "python")
    versions = "import django, sys; print(sys.version, 'Django', django.__version__)"
    shell.run(python, "-c", versions)
    pytest(shell, python, "-m", "pytest", "-m", SHARED, *NO_DJANGO, jobs=JOBS)
    pytest(shell, python, "-m", "pytest", "-m", ALONE_AGAIN, *WITH_ALONE)


GROUPS: list[list[Lane]] = [
    [[("programs: Chromium, PostgreSQL, Redis, gettext", find_programs)]],
    [
        [tool("mypy", "mypy", "polly_htmx", "tests", "sandbox", "scripts")],
        [
            tool("ruff format", "ruff", "format", "--check", "."),
            tool("ruff check", "ruff", "check", "."),
            tool("import-linter", "lint-imports", "--no-logo"),
            ("djade", template_style),
            ("djlint", template_rules),
            tool("oxlint", "oxlint", "--deny-warnings", "static"),
            tool("typos", "typos", "--format", "brief"),
            ("migrations", migrations),
        ],
    ],
    # What runs processes or a browser mostly waits, so another suite keeps the
    # machine busy meanwhile. Those that measure time do it with nothing beside them.
    [
        [
            ("pytest on SQLite", suite),
            ("pytest on PostgreSQL", suite_postgres),
            ("pytest on Python 3.12 or newer", suite_newer),
        ],
        [
            ("pytest with processes", suite_live),
            ("pytest with browser", suite_browser),
        ],
    ],
    [[("pytest one by one", suite_alone), tool("coverage", "coverage", "report")]],
]


def main(words: list[str]) -> int:
    """Run the groups in order, and stop after the first with a failure."""
    # A shell that starts us in the background has Ctrl-C ignored, by all that we start
    # too. Some tests press it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    started = time.monotonic()
    for group in GROUPS:
        chosen = [
            [step for step in lane if not words or any(w in step[0] for w in words)]
            for lane in group
        ]
        if failed := failures(chosen):
            print(f"\n=== FAILED: {', '.join(failed)}", flush=True)
            return 1
    for name in unsteady:
        print(f"\n=== UNSTEADY, so a bug to mend: {name} passed only by itself.")
    print(f"\n=== All passed in {time.monotonic() - started:.0f} s.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
