"""Shutdown: a process that is told to end lets its replies end first."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

from polly_htmx.chat import desk, home
from polly_htmx.conf import conf

logger = logging.getLogger(__name__)

Handler = Callable[[int, FrameType | None], Any] | int | None

# A person's Ctrl-C waits for nothing, a supervisor's SIGTERM for running replies.
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class _Listener:
    def __init__(self) -> None:
        self.before: dict[int, Handler] = {}
        self.begun = False


_listener = _Listener()


def listen() -> None:
    """
    Put our handlers before those that stand; a second call costs nothing.

    A server's own way of ending cancels what is open and waits for nobody. Only the
    main thread can hear signals; elsewhere, as under runserver, nothing changes.
    """
    if _listener.before or threading.current_thread() is not threading.main_thread():
        return
    for number in SIGNALS:
        _listener.before[number] = signal.getsignal(number)
        signal.signal(number, _heard)


def begun() -> bool:
    """Tell whether this process takes no more replies."""
    return _listener.begun


def _heard(number: int, frame: FrameType | None) -> None:
    first = not _listener.begun
    _listener.begun = True
    grace = conf.SHUTDOWN_GRACE if number == signal.SIGTERM else 0.0
    if first and home.outside(partial(_end, number, grace)):
        return
    _pass_on(number, frame)


async def _end(number: int, grace: float) -> None:
    if desk.running():
        logger.info("shutdown waits for replies running=%s", desk.running())
    try:
        await desk.clear(grace)
    finally:
        asyncio.get_running_loop().call_soon(_pass_on, number, None)


def _pass_on(number: int, frame: FrameType | None) -> None:
    """Do what would have been done without us."""
    before = _listener.before.get(number, signal.SIG_DFL)
    if callable(before):
        before(number, frame)
    else:
        signal.signal(number, before if before is not None else signal.SIG_DFL)
        os.kill(os.getpid(), number)
