"""Home: work on the loop that serves sockets, and its end."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from polly_htmx.chat import home, runner
from polly_htmx.chat.keeper import Keeper
from polly_htmx.models import Message
from tests.chat.test_runner import Talk, ask, talk
from tests.patience import PATIENCE

__all__ = ["talk"]


async def nothing() -> None:
    """Do nothing."""


def test_nothing_is_started_where_no_loop_serves() -> None:
    assert not home.spawn(nothing)


async def test_work_to_the_end_outlives_every_cancellation() -> None:
    gate, done = asyncio.Event(), []

    async def work() -> None:
        await gate.wait()
        done.append(True)

    task = asyncio.create_task(home.to_the_end(work()))
    for _ in range(3):
        await asyncio.sleep(0)
        task.cancel()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done


async def test_work_to_the_end_gives_its_result_or_its_fault() -> None:
    async def fail() -> None:
        raise KeyError("x")

    async def answer() -> int:
        return 42

    assert await home.to_the_end(answer()) == 42
    with pytest.raises(KeyError):
        await home.to_the_end(fail())


@pytest.mark.django_db(transaction=True)
async def test_end_is_saved_however_often_the_run_is_cancelled(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = await asyncio.to_thread(talk, text="One two", fault="stall")
    reply = await ask(conversation)
    in_finish, go_on = threading.Event(), threading.Event()
    end = Keeper.end

    def slow_end(self: Keeper, *calls: Any) -> bool:
        in_finish.set()
        go_on.wait(5)
        return end(self, *calls)

    monkeypatch.setattr(Keeper, "end", slow_end)
    task = asyncio.create_task(runner.arun_reply(reply.pk))
    async with asyncio.timeout(PATIENCE):
        while (await Message.objects.aget(pk=reply.pk)).status != "streaming":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.to_thread(in_finish.wait, PATIENCE)
        task.cancel()
        go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    await reply.arefresh_from_db()
    assert (reply.status, reply.content) == ("interrupted", "One")
