from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import AsyncGenerator

import pytest
from django.core.exceptions import SynchronousOnlyOperation

from polly_htmx.llm import bridge
from tests.llm.conftest import Invoke


async def _three(log: list[str]) -> AsyncGenerator[int]:
    try:
        for number in range(3):
            await asyncio.sleep(0)
            yield number
    finally:
        log.append(threading.current_thread().name)


def test_generator_is_closed_on_its_loop_when_left_early() -> None:
    log: list[str] = []
    for number in bridge.iterate(_three(log)):
        if number == 1:
            break
    gc.collect()
    assert log == ["polly-llm"]


def test_generator_is_closed_when_it_is_dropped_on_the_loop_s_own_thread() -> None:
    log: list[str] = []
    holder = [bridge.iterate(_three(log))]
    next(holder[0])

    async def drop() -> None:
        holder.clear()

    bridge.run(drop)
    bridge.run(asyncio.sleep, 0.01)
    assert log == ["polly-llm"]


def test_another_thread_begins_when_the_first_is_lost_to_a_fork() -> None:
    before = bridge.run(_thread)
    bridge._forget()
    assert bridge.run(_thread) != before


async def _thread() -> int:
    return threading.get_ident()


def test_one_thread_serves_all_callers() -> None:
    found = {bridge.run(_thread) for _ in range(5)}
    assert len(found) == 1
    assert found != {threading.get_ident()}


def test_error_reaches_the_caller() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        bridge.run(fail)


async def test_sync_methods_refuse_when_a_loop_is_running(scripted: Invoke) -> None:
    with pytest.raises(SynchronousOnlyOperation, match="asend_message"):
        scripted().send_message("Hi")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_child_has_a_thread_of_its_own_when_forked(scripted: Invoke) -> None:
    invoker = scripted(text="one")
    invoker.send_message("Hi")
    child = os.fork()
    if child == 0:
        os._exit(0 if invoker.send_message("Hi").text == "one" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
