"""
Stream the examples of CommonMark's own specification, and compare them with the whole.

    python -m scripts.commonmark             needs npm, which brings the specification
    python -m scripts.commonmark spec.txt    one that is there already

The specification is not ours to ship, so the suite has texts of its own for each of
its sections (tests/markdown/test_commonmark.py). Ends with 1 where an example that
arrived in pieces ends otherwise than the whole, or is not inert.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from polly_htmx.markdown import render
from scripts.requirements import ROOT
from scripts.system import Missing
from tests.markdown.page import at_random, by_character, finished
from tests.oracle import assert_inert

PACKAGE = "commonmark-spec@0.31.2"
FOLDER = ROOT / "build" / "commonmark"
EXAMPLE = re.compile(r"^`{32} example\n(.*?)^\.\n.*?^`{32}$", re.DOTALL | re.MULTILINE)
SEEDS = 10


def specification() -> Path:
    """Return the specification's text, fetched where it is not there yet."""
    path = FOLDER / "package" / "spec.txt"
    if path.exists():
        return path
    if (npm := shutil.which("npm")) is None:
        raise Missing("npm was not found: install node, 18 or newer.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    subprocess.run([npm, "pack", "--silent", PACKAGE], cwd=FOLDER, check=True)
    shutil.unpack_archive(next(FOLDER.glob("commonmark-spec-*.tgz")), FOLDER)
    return path


def examples(path: Path) -> list[str]:
    """Return the Markdown of each example; the text writes its tabs as arrows."""
    return EXAMPLE.findall(path.read_text().replace("→", "\t"))


def main(given: list[str]) -> int:
    """Stream each example in several ways, and name those that end otherwise."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    found = examples(Path(given[0]) if given else specification())
    bad = 0
    for number, text in enumerate(found, 1):
        whole = render(text)
        assert_inert(whole)
        ways = [by_character(text), *(at_random(text, seed) for seed in range(SEEDS))]
        if any(finished(text, pieces) != whole for pieces in ways):
            bad += 1
            print(f"example {number}: {text!r}")
    print(f"{len(found)} examples, {bad} of them end otherwise in pieces.")
    return int(bool(bad) or not found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
