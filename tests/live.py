"""Real servers for tests: daphne on a free port, on the database of the tests."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60
"""Seconds that a process gets to answer or to end."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Site:
    """A daphne process; it may be killed and started again on the same port."""

    polly: dict[str, Any]
    options: tuple[str, ...] = ()
    """More options of daphne's command."""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    log: Path = field(
        default_factory=lambda: Path(tempfile.mkstemp(prefix="polly-live-")[1])
    )

    @property
    def url(self) -> str:
        """The site's address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the process and return when it answers."""
        command = [sys.executable, "-m", "daphne", "--port", str(self.port)]
        command += self.options
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--verbosity", "0", "tests.asgi:application"],
                cwd=ROOT,
                env={**os.environ, **self._environment()},
                stdout=log,
                stderr=log,
            )
        wait_for_http(f"{self.url}/accounts/login/", self.process)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End the process by a signal, and wait until it is gone."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)
            self.process.wait(PATIENCE)
            self.process = None

    def logged(self) -> str:
        """Return what the process has written so far."""
        return self.log.read_text(errors="replace")

    def _environment(self) -> dict[str, str]:
        return {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "POLLY_TEST_SETTINGS": json.dumps(self.polly),
            "POLLY_TEST_SQLITE": str(connection.settings_dict["NAME"]),
        }


def wait_for_http(url: str, process: subprocess.Popen[bytes]) -> None:
    """Return when a URL answers, whatever it says; fail if the process ends before."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, "The server ended before it answered."
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)  # Nothing to wait on: the port opens when it opens.
    raise AssertionError(f"{url} did not answer within {PATIENCE} s.")


@contextmanager
def live_site(*options: str, **polly: Any) -> Iterator[Site]:
    """Start daphne with these options and POLLY settings, and end it afterwards."""
    assert "sqlite3" in settings.DATABASES["default"]["ENGINE"]
    site = Site(polly={"DEFAULT_MODEL": "DUMMY", **polly}, options=options)
    site.start()
    try:
        yield site
    finally:
        site.kill(signal.SIGTERM)
        site.log.unlink()


def scripted(**params: Any) -> dict[str, Any]:
    """Return POLLY settings under which the default model plays a script."""
    backend = "polly_htmx.llm.scripted.ScriptedInvoker"
    model = {"label": "Scripted", "backend": backend, "params": params}
    return {"DEFAULT_MODEL": "SCRIPTED", "MODELS": {"SCRIPTED": model}}
