"""Python interpreters of this machine, by version."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

# What an environment needs; Debian ships ensurepip and sqlite3 apart.
PROBE = """\
import ensurepip, sqlite3, ssl, sys, venv
print("%d.%d" % sys.version_info[:2])
"""


def _candidates(version: str) -> Iterator[str]:
    """Yield paths that may be a Python of the given version, likely ones first."""
    if on_path := shutil.which(f"python{version}"):
        yield on_path
    roots = [os.environ.get("PYENV_ROOT"), "~/.pyenv"]
    for root in filter(None, roots):
        versions = Path(root).expanduser() / "versions"
        for folder in sorted(versions.glob(f"{version}*"), reverse=True):
            yield str(folder / "bin" / "python3")


def _answers(python: str, version: str) -> bool:
    """Return whether it really runs: pyenv's shims exist for Pythons that do not."""
    try:
        result = subprocess.run(
            [python, "-c", PROBE],
            capture_output=True,
            check=False,
            text=True,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0 and result.stdout.strip() == version


def find(*versions: str) -> str | None:
    """Return the first interpreter that works, in the order of the versions."""
    for version in versions:
        for python in _candidates(version):
            if _answers(python, version):
                return python
    return None
