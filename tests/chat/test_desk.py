"""The desk: what others want of a run reaches it, and the end waits for all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from polly_htmx.chat import desk
from tests.patience import PATIENCE


class Written:
    """A reply that somebody writes, and that ends when it is told to."""

    def __init__(self) -> None:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.heard: list[str] = []

    def stop(self) -> None:
        self.heard.append("stop")
        self.end()

    def interrupt(self) -> None:
        self.heard.append("interrupt")
        asyncio.get_running_loop().call_soon(self.end)

    def ask(self, channel: str) -> None:
        self.heard.append(channel)

    def end(self) -> None:
        """Come to an end of one's own."""
        if not self.over.done():
            desk.leave(1)
            self.over.set_result(None)


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    yield
    desk.leave(1)


async def test_what_others_want_reaches_the_run_it_is_for() -> None:
    run = Written()
    desk.enter(1, run)
    assert desk.running() == 1
    desk.handle({"type": "polly.ask", "reply_id": 1, "channel": "c"})
    desk.handle({"type": "polly.stop", "reply_id": 1})
    assert run.heard == ["c", "stop"]
    assert desk.running() == 0


@pytest.mark.parametrize(
    "message",
    [
        {"type": "polly.stop", "reply_id": 2},
        {"type": "polly.stop"},
        {"type": "polly.unheard-of", "reply_id": 1},
    ],
)
async def test_what_is_for_nobody_here_is_passed_over(
    message: dict[str, object],
) -> None:
    run = Written()
    desk.enter(1, run)
    desk.handle(message)
    assert not run.heard


async def test_run_that_ends_within_the_grace_is_let_be() -> None:
    run = Written()
    desk.enter(1, run)
    asyncio.get_running_loop().call_later(0.05, run.end)
    await asyncio.wait_for(desk.clear(grace=2 * PATIENCE), PATIENCE)
    assert not run.heard


async def test_run_that_outlasts_the_grace_is_interrupted_and_waited_for() -> None:
    run = Written()
    desk.enter(1, run)
    await asyncio.wait_for(desk.clear(grace=0.05), PATIENCE)
    assert run.heard == ["interrupt"]
    assert run.over.done()


async def test_empty_desk_is_cleared_at_once() -> None:
    await asyncio.wait_for(desk.clear(grace=2 * PATIENCE), PATIENCE)
