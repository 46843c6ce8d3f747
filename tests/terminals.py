"""Terminals: polly_chat as a program, by a pipe or with a person who types."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from tests.patience import PATIENCE
from tests.programs import ROOT
from tests.rows import Rows

COMMAND = [sys.executable, "-u", "-m", "django", "polly_chat"]


def environment(polly: dict[str, Any], rows: Rows, layer: str = "") -> dict[str, str]:
    """Return what the program finds in its environment: see tests.settings."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "POLLY_TEST_SETTINGS": json.dumps(polly),
        "POLLY_TEST_LAYER": layer,
        "NO_PROXY": "127.0.0.1",
        **rows.environment,
    }


def piped(
    lines: str, arguments: Sequence[str], variables: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run the program with lines from a pipe, to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=variables,
        input=lines,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


class Terminal:
    """A person at a terminal in which the command runs."""

    def __init__(self, process: subprocess.Popen[bytes], line: int) -> None:
        self.process = process
        self._line = line
        self.seen = ""

    def until(self, text: str) -> None:
        """Return when a text has been shown, and forget all up to it."""
        end = time.monotonic() + PATIENCE
        while text not in self.seen:
            assert time.monotonic() < end, self.seen
            assert self.read(), self.seen
        self.seen = self.seen.partition(text)[2]

    def read(self) -> bool:
        """Take what is shown next; False if nothing more comes."""
        if not select.select([self._line], [], [], PATIENCE)[0]:
            return False
        with suppress(OSError):  # What Linux says at the end.
            data = os.read(self._line, 4096)
            self.seen += data.decode()
            return bool(data)
        return False

    def type(self, text: str) -> None:
        """Send a line."""
        os.write(self._line, f"{text}\n".encode())

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def leave(self) -> None:
        """Press Ctrl-C, and again if nothing follows: one just before input() is lost."""
        self.interrupt()
        try:
            self.process.wait(PATIENCE / 4)
        except subprocess.TimeoutExpired:
            self.interrupt()
            self.process.wait(PATIENCE)
        while self.read():
            pass


@contextmanager
def terminal(arguments: Sequence[str], variables: dict[str, str]) -> Iterator[Terminal]:
    """Run the program in a terminal, and end it afterwards."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=variables,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait(PATIENCE)
        os.close(ours)
