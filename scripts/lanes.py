"""
Lanes: steps of the gate, one after the other in a lane, the lanes side by side.

What the commands of a step say is kept until it ends, so that it stays together.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from scripts.requirements import ROOT
from scripts.system import Missing

BIN = Path(sys.executable).parent


class Failed(Exception):
    """A step of the gate did not pass."""


@dataclass(frozen=True, kw_only=True)
class Shell:
    """Where a step runs its commands, and where what they say goes."""

    output: IO[str]
    variables: dict[str, str] = field(default_factory=dict)
    """More of the environment."""

    def run(self, *command: str) -> None:
        """Run a tool of this environment, or any program given by its path."""
        tool = BIN / command[0]
        program = str(tool) if tool.exists() else command[0]
        result = subprocess.run(
            [program, *command[1:]],
            check=False,
            cwd=ROOT,
            env={**os.environ, **self.variables},
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
        )
        if result.returncode:
            raise Failed(" ".join(command)[:200])

    def say(self, text: str) -> None:
        """Tell something between what the commands say."""
        print(text, file=self.output, flush=True)


Step = tuple[str, Callable[[Shell], None]]
Lane = list[Step]
"""Steps, one after the other."""


def tool(name: str, *command: str) -> Step:
    """Return a step that is one command."""
    return name, lambda shell: shell.run(*command)


def _passes(step: Step) -> bool:
    """Run one step; what it says comes in one piece, between its name and its time."""
    name, work = step
    begun = time.monotonic()
    print(f"... {name}", flush=True)
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        try:
            work(Shell(output=output))
            end = f"--- {time.monotonic() - begun:.1f} s"
            is_well = True
        except (Failed, Missing) as exc:
            end = f"--- FAILED: {exc}"
            is_well = False
        output.seek(0)
        print(f"\n=== {name}\n{output.read()}{end}", flush=True)
    return is_well


def _failures(lane: Lane) -> list[str]:
    """Run the steps of a lane; return the names of those that failed."""
    return [step[0] for step in lane if not _passes(step)]


def failures(group: list[Lane]) -> list[str]:
    """Run the lanes of a group; return the names of the steps that failed."""
    with ThreadPoolExecutor() as lanes:
        return [name for names in lanes.map(_failures, group) for name in names]
