"""A fork is a process as Popen would start it, only sooner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from tests import forks
from tests.patience import PATIENCE
from tests.programs import until

pytestmark = pytest.mark.live

# timeit is a module with a main part, which runs what it is given.
TIMEIT = [sys.executable, "-m", "timeit", "-n", "1", "-r", "1"]
ENVIRONMENT = {**os.environ, **forks.FAULTHANDLER}
SLEEP = "print('begun', flush=True); import time; time.sleep(600)"


@pytest.fixture
def log(tmp_path: Path) -> IO[str]:
    return (tmp_path / "log").open("w+")


def said(log: IO[str]) -> str:
    return Path(log.name).read_text()


def start(
    code: str, log: IO[str], **more: str
) -> subprocess.Popen[bytes] | forks.Forked:
    with log:
        return forks.start([*TIMEIT, code], {**ENVIRONMENT, **more}, log, log)


def test_fork_has_its_own_pid_environment_and_output(log: IO[str]) -> None:
    code = (
        "import os, sys; print(os.getpid(), os.environ['COLOUR'], sys.argv[-1][:6]);"
        "print(os.getcwd(), 'twisted' in sys.modules, 'polly_htmx' in sys.modules)"
    )
    process = start(code, log, COLOUR="green")
    assert isinstance(process, forks.Forked) or sys.platform != "linux"
    assert process.wait(PATIENCE) == 0
    assert process.poll() == process.returncode == 0
    lines = said(log).splitlines()
    assert lines[0] == f"{process.pid} green import"
    assert lines[1] == f"{forks.ROOT} True False"
    process.send_signal(signal.SIGKILL)  # Nobody is there any more.


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGKILL, -9), (signal.SIGTERM, -15), (signal.SIGINT, 1)],
)
def test_signals_end_it_as_they_do_any_program(
    log: IO[str], number: signal.Signals, code: int
) -> None:
    process = start(SLEEP, log)
    until(lambda: "begun" in said(log), "The program has begun.")
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0)
    process.send_signal(number)
    assert process.wait(PATIENCE) == code
    assert ("KeyboardInterrupt" in said(log)) == (number == signal.SIGINT)


def test_exit_code_and_words_of_a_failure_are_told() -> None:
    command = [*TIMEIT, "import sys; print('so far'); sys.exit('No further.')"]
    with pytest.raises(AssertionError, match=r"No further\."):
        forks.output(command, ENVIRONMENT, PATIENCE)
    assert "1 loop" in forks.output([*TIMEIT, "pass"], ENVIRONMENT, PATIENCE)


def test_options_of_python_itself_want_a_start_from_the_beginning(log: IO[str]) -> None:
    code = "import sys; print(sys.flags.dev_mode, 'twisted' in sys.modules)"
    process = start(code, log, PYTHONDEVMODE="1")
    assert isinstance(process, subprocess.Popen)
    assert process.wait(PATIENCE) == 0
    assert "True False" in said(log)


def test_fault_says_where_the_fork_stood(log: IO[str]) -> None:
    process = start(SLEEP, log)
    until(lambda: "begun" in said(log), "The program has begun.")
    process.send_signal(signal.SIGABRT)
    assert process.wait(PATIENCE) == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in said(log)
