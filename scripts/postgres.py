"""
A throw-away PostgreSQL cluster, on a socket of its own, gone with the command.

    python -m scripts.postgres pytest -m "not live"

The command finds it through libpq's variables (PGHOST, PGPORT, PGUSER).
PostgreSQL refuses to run as root, so root lends it to the user postgres or nobody.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.system import Missing, postgres_bin

USER = "polly"
START_SECONDS = 60
# A cluster that nobody needs tomorrow has no use for care with the disk.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def _run_as() -> dict[str, Any]:
    """Return the arguments of Popen that make root somebody else."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise Missing("PostgreSQL must not run as root, and no user nobody is there.")


def _wait_until_ready(server: subprocess.Popen[bytes], folder: Path) -> None:
    """Return when the server takes connections, raise when it ends before."""
    deadline = time.monotonic() + START_SECONDS
    # The server keeps its state in this file: starting, then ready.
    pid_file = folder / "data" / "postmaster.pid"
    while time.monotonic() < deadline and server.poll() is None:
        if pid_file.exists() and "ready" in pid_file.read_text():
            return
        time.sleep(0.05)
    server.kill()
    raise Missing(f"PostgreSQL did not start:\n{(folder / 'log').read_text()}")


@contextlib.contextmanager
def cluster() -> Iterator[dict[str, str]]:
    """Start a cluster, yield the variables that lead to it, and remove it."""
    programs = postgres_bin()
    if programs is None:
        raise Missing("PostgreSQL is missing: no initdb was found.")
    run_as = _run_as()
    # Not under TMPDIR: the path of a socket may have 107 characters at most.
    folder = Path(tempfile.mkdtemp(prefix="polly-pg-", dir="/tmp"))
    try:
        if run_as:
            os.chown(folder, run_as["user"], run_as["group"])
        data = str(folder / "data")
        make = [f"{programs}/initdb", "-D", data, "-U", USER, "-A", "trust", "-N"]
        make += ["-E", "UTF8", "--locale=C"]
        subprocess.run(
            make, check=True, cwd=folder, stdout=subprocess.DEVNULL, **run_as
        )
        serve = [f"{programs}/postgres", "-D", data, "-k", str(folder), "-h", ""]
        for option in FAST:
            serve += ["-c", option]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                serve,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for the tests; the server is ended below.
                start_new_session=True,
                **run_as,
            )
        try:
            _wait_until_ready(server, folder)
            yield {"PGHOST": str(folder), "PGPORT": "5432", "PGUSER": USER}
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(START_SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Run the command of the command line beside a cluster."""
    try:
        with cluster() as variables:
            environment = os.environ | variables | {"POLLY_TEST_DATABASE": "postgres"}
            return subprocess.run(sys.argv[1:], check=False, env=environment).returncode
    except Missing as exc:
        print(exc, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
