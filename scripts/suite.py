"""
Run a part of the suite; the few tests that fail are tried once more, by themselves.

Parts run side by side on few cores, each with servers and browsers of its own. A test
that fails there and passes with the machine to itself has a bug all the same, most
often in how it waits. The gate goes on, and names it at its end.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from scripts.lanes import Failed, Shell

AGAIN = 3
"""Where more tests than this fail, it is no accident of timing."""
unsteady: list[str] = []
"""Which tests of this run passed at their second try only."""


def pytest(shell: Shell, *command: str, jobs: str = "0") -> None:
    """
    Run pytest by a command that ends with its options.

    Raises:
        Failed: A test failed, and then failed again by itself, or too many did.
    """
    with tempfile.TemporaryDirectory(prefix="polly-gate-") as cache:
        command = (*command, "--quiet", "--override-ini", f"cache_dir={cache}")
        try:
            shell.run(*command, "-n", jobs)
        except Failed:
            failed = _failed(Path(cache))
            if not 0 < len(failed) <= AGAIN:
                raise
            shell.say(f"\nOnce more, by themselves: {' '.join(failed)}")
            shell.run(*command, "-n", "0", "--last-failed")
            unsteady.extend(failed)


def _failed(cache: Path) -> list[str]:
    """Return the tests that failed in the run with this cache."""
    noted = cache / "v" / "cache" / "lastfailed"
    return sorted(json.loads(noted.read_text())) if noted.exists() else []
