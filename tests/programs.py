"""Programs: processes that a test starts, pauses, kills and asks for their memory."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests import forks
from tests.patience import PATIENCE

ROOT = forks.ROOT
Process = subprocess.Popen[bytes] | forks.Forked
TICKS = os.sysconf("SC_CLK_TCK")


def _new_log() -> Path:
    descriptor, name = tempfile.mkstemp(prefix="polly-live-")
    os.close(descriptor)
    return Path(name)


@dataclass(kw_only=True)
class Program:
    """A process that may be killed and started again; subclasses say which."""

    extras: dict[str, str] = field(default_factory=dict)
    """Variables of the environment, over all others."""
    log: Path = field(default_factory=_new_log)
    is_fork: bool = True
    """Whether it may begin as a fork: see tests.forks."""
    process: Process | None = None

    def command(self) -> list[str]:
        """Return the command line."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Return what the process finds in its environment besides our own."""
        return {}

    def until_ready(self) -> None:
        """Return when the process does its work; fail if it ends before."""
        raise NotImplementedError

    def start(self) -> None:
        """Start the process and return when it is ready."""
        self.launch()
        self.until_ready()

    def launch(self) -> None:
        """Start the process, ready or not."""
        assert self.process is None, "It runs already."
        with self.log.open("ab") as log:
            variables = {**forks.FAULTHANDLER, **self.environment(), **self.extras}
            env = {**os.environ, **variables}
            start = forks.start if self.is_fork else forks.start_anew
            self.process = start(self.command(), env, log, log)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End the process by a signal, and wait until it is gone; fail if it stays."""
        if self.process is None:
            return
        self.send_signal(number)
        # A paused process does not see any signal but SIGKILL.
        self.send_signal(signal.SIGCONT)
        process, self.process = self.process, None
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)  # Let it say where it stands.
            process.wait(PATIENCE)
            where = self.logged()[-8000:]
            raise AssertionError(f"{number.name} did not end it:\n{where}") from None

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, and do not wait; a process that is gone is none's worry."""
        with contextlib.suppress(ProcessLookupError):
            self.running.send_signal(number)

    def pause(self) -> None:
        """Stop the process in its tracks; its sockets stay open."""
        self.running.send_signal(signal.SIGSTOP)
        until(lambda: self._status("State").startswith("T"), "The process paused.")

    def resume(self) -> None:
        """Let a paused process go on."""
        self.running.send_signal(signal.SIGCONT)

    @property
    def running(self) -> Process:
        """The process, which must have been started."""
        assert self.process is not None, "It does not run."
        return self.process

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def rss(self) -> int:
        """Return the bytes of memory that the process holds just now."""
        return int(self._status("VmRSS").split()[0]) * 1024

    def cpu(self) -> float:
        """Return the seconds of CPU that the process has used, all threads together."""
        stat = Path(f"/proc/{self.running.pid}/stat").read_text()
        # The name in brackets may hold spaces; the figures come after it.
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def threads(self) -> int:
        """Return how many threads the process has."""
        return int(self._status("Threads"))

    def logged(self) -> str:
        """Return what the process has written so far."""
        return self.log.read_text(errors="replace")

    def _status(self, name: str) -> str:
        lines = Path(f"/proc/{self.running.pid}/status").read_text().splitlines()
        found = next(line for line in lines if line.startswith(f"{name}:"))
        return found.partition(":")[2].strip()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            self.kill(signal.SIGTERM)
        finally:
            self.log.unlink(missing_ok=True)


def until(
    holds: Callable[[], object], what: str, *, patience: float = PATIENCE
) -> None:
    """Return when something outside of this process holds; fail after some time."""
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, f"Not within {patience} s: {what}"
        time.sleep(0.02)  # Nothing to wait on: it tells nobody when it changes.
