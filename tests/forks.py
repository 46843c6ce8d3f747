"""
Forks: Python programs that begin with their libraries imported already.

Most of what a site's start takes is the import of Django, Twisted and their like. A
process of this test run does it once, see tests.fork_server, and each program begins as
a fork of it: a process with a pid, an environment, signals and an end of its own, which
runs the very module that python -m would run.
"""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
FAULTHANDLER = {"PYTHONFAULTHANDLER": "1"}
SLEEP = 0.01
"""Seconds between two looks at a program whose end is waited for."""


class Forked:
    """A program that is a fork: as much of subprocess.Popen as the tests ask for."""

    def __init__(self, server: ForkServer, pid: int, command: Sequence[str]) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._server = server
        self._command = [*command]

    def poll(self) -> int | None:
        """Return how it ended, or None while it runs: see Popen."""
        if self.returncode is None:
            self.returncode = self._server.ask(poll=self.pid)
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Return how it ended. Raises TimeoutExpired after so many seconds."""
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(self._command, timeout)
            time.sleep(SLEEP)  # Popen's wait() looks again and again too.
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended: see Popen."""
        # The pid stays its own until poll() has told of its end.
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


class ForkServer:
    """The process that forks, and the line to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.fork_server", str(theirs.fileno())],
                cwd=ROOT,
                env={**os.environ, **FAULTHANDLER},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        # What Python reads at its start, no fork reads again.
        self.variables = _python({**os.environ, **FAULTHANDLER})

    def fork(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        out: IO[Any],
        err: IO[Any],
    ) -> Forked:
        """Begin a program, given by its module and its arguments."""
        order = {"command": [*command], "environment": dict(env)}
        return Forked(self, self.ask(out.fileno(), err.fileno(), **order), command)

    def ask(self, *files: int, **order: Any) -> Any:
        """Return the answer to an order that comes with open files."""
        body = json.dumps(order).encode()
        with self._lock:
            socket.send_fds(self._line, [len(body).to_bytes(4)], files)
            self._line.sendall(body)
            answer = self._line.recv(100)
        assert answer, "The fork server has gone."
        return json.loads(answer)

    def close(self) -> None:
        """End the process; programs that still run go on."""
        self._line.close()
        self._process.wait()


def start(
    command: Sequence[str], env: Mapping[str, str], out: IO[Any], err: IO[Any]
) -> subprocess.Popen[bytes] | Forked:
    """Start a program: as a fork if it is a module of this very Python."""
    # Elsewhere a fork may not use what the system's own libraries have begun.
    if sys.platform == "linux" and [*command[:2]] == [sys.executable, "-m"]:
        server = _server()
        if _python(env) == server.variables:
            return server.fork(command[2:], env, out, err)
    return start_anew(command, env, out, err)


def start_anew(
    command: Sequence[str], env: Mapping[str, str], out: IO[Any], err: IO[Any]
) -> subprocess.Popen[bytes]:
    """Start a program as a shell would."""
    return subprocess.Popen(
        command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err
    )


def output(command: Sequence[str], env: Mapping[str, str], patience: float) -> str:
    """Return what a program says. Raises AssertionError if it fails."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        code = start(command, env, out, err).wait(patience)
        for file in (out, err):
            file.seek(0)
        assert code == 0, err.read()
        return out.read()


def _python(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith("PYTHON")}


_found: list[ForkServer] = []
_finding = threading.Lock()


def _server() -> ForkServer:
    """Return the server of this process, started when first asked for."""
    with _finding:
        if not _found:
            _found.append(ForkServer())
            atexit.register(_found[0].close)
        return _found[0]
