"""
Bring the translations up to date with the source, and compile them.

    python -m scripts.messages           every language that there is
    python -m scripts.messages fr        begin another one

New texts come in untranslated and texts that went are dropped: nothing is guessed,
so nothing has to be found and taken back. Prints what is left to translate.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.commands.makemessages import Command

from scripts.requirements import ROOT
from scripts.system import require_gettext

PACKAGE = ROOT / "polly_htmx"
SANDBOX = ROOT / "sandbox"
CREATED = re.compile(r'^"POT-Creation-Date: .*\n', re.MULTILINE)
"""Changes whenever anybody looks, and would be all that changes."""


class Reader(Command):
    """Django's makemessages, without its guesses."""

    msgmerge_options = [*Command.msgmerge_options, "--no-fuzzy-matching"]


def read(package: Path, *languages: str) -> None:
    """Write the texts of a package's source into its catalogues."""
    if not settings.configured:
        settings.configure()
    options: dict[str, Any] = {
        "add_location": "file",  # With lines each commit would change them.
        "locale": list(languages),
        "no_obsolete": True,
        "no_wrap": True,
        "symlinks": True,  # Our templates lie behind one.
        "verbosity": 0,
    }
    here = Path.cwd()
    os.chdir(package)  # makemessages reads what lies below.
    try:
        call_command(Reader(), **options)
    finally:
        os.chdir(here)


def compile_catalogue(catalogue: Path, target: Path) -> str:
    """Check a catalogue, compile it, and return msgfmt's account of it."""
    result = subprocess.run(
        ["msgfmt", "--check", "--statistics", "-o", str(target), str(catalogue)],
        capture_output=True,
        check=False,
        env=os.environ
        | {"LC_ALL": "C"},  # Or its account is in the machine's language.
        text=True,
    )
    if result.returncode:
        raise SystemExit(result.stderr)
    return result.stderr.strip()


def catalogues(package: Path) -> list[Path]:
    """Return the catalogues of a package, one for each language."""
    return sorted(package.glob("locale/*/LC_MESSAGES/django.po"))


def main(languages: list[str], package: Path = PACKAGE) -> None:
    """Update and compile what there is, and what was named."""
    require_gettext()
    (package / "locale").mkdir(exist_ok=True)
    before = {path: path.read_text() for path in catalogues(package)}
    read(package, *languages, *(path.parent.parent.name for path in before))
    for path in catalogues(package):
        old = before.get(path, "")
        if old and CREATED.sub("", old) == CREATED.sub("", path.read_text()):
            path.write_text(old)
        account = compile_catalogue(path, path.with_suffix(".mo"))
        print(f"{package.name}, {path.parent.parent.name}: {account}")


if __name__ == "__main__":
    for each in (PACKAGE, SANDBOX):
        main(sys.argv[1:], each)
