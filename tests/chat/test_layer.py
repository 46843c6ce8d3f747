"""The layer: it may fail, and whoever listens hears again when it is back."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from polly_htmx.chat import home, layer
from polly_htmx.chat.layer import Ear
from tests.patience import PATIENCE

SECRET = "redis://:LAYER-CANARY@host"


class Frail:
    """A channel layer that fails as often as it is told to."""

    def __init__(self) -> None:
        self.failures = 0
        self.channels = 0

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError(SECRET)

    async def new_channel(self) -> str:
        """Return a channel's name."""
        self._fail()
        self.channels += 1
        return f"channel {self.channels}"

    async def receive(self, channel: str) -> dict[str, Any]:
        """Return a message."""
        self._fail()
        return {"type": "news", "channel": channel}

    async def group_send(self, _group: str, _message: dict[str, Any]) -> None:
        """Send nothing."""
        self._fail()

    group_add = group_discard = send = group_send


@pytest.fixture
def frail(monkeypatch: pytest.MonkeyPatch) -> Frail:
    """Return the layer of this test."""
    frail = Frail()
    monkeypatch.setattr(layer, "site_layer", lambda: frail)
    monkeypatch.setattr(layer, "RETRY", 0.01)
    return frail


async def test_ear_without_a_layer_takes_a_channel_as_soon_as_there_is_one(
    frail: Frail, caplog: pytest.LogCaptureFixture
) -> None:
    frail.failures = 3
    ear = Ear()
    assert await ear.open() == ""
    deafened: list[bool] = []
    heard = await asyncio.wait_for(ear.hear(lambda: deafened.append(True)), PATIENCE)
    assert heard == {"type": "news", "channel": "channel 1"}
    assert ear.channel == "channel 1"
    assert not deafened, "It had nothing to lose."
    assert "fault=OSError" in caplog.text
    assert "CANARY" not in caplog.text


async def test_ear_says_so_when_the_layer_fails_and_hears_again_afterwards(
    frail: Frail,
) -> None:
    ear = Ear()
    await ear.open()
    frail.failures = 2
    deafened: list[bool] = []
    heard = await asyncio.wait_for(ear.hear(lambda: deafened.append(True)), PATIENCE)
    assert heard["type"] == "news"
    assert deafened == [True, True]


class Forgetful(Frail):
    """A layer as Redis' pub/sub: a channel is gone when nobody waits for it any more."""

    def __init__(self) -> None:
        super().__init__()
        self.left: set[str] = set()
        self.joined: list[str] = []
        self.news: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def group_add(self, _group: str, channel: Any) -> None:
        """Join a channel that is there."""
        if channel in self.left:
            raise RuntimeError("No such channel.")
        self.joined.append(channel)

    async def receive(self, channel: str) -> dict[str, Any]:
        """Return a message, or take the channel away."""
        try:
            return await self.news.get()
        except asyncio.CancelledError:
            self.left.add(channel)
            raise


async def test_desk_that_joins_again_hears_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    redis = Forgetful()
    monkeypatch.setattr(layer, "site_layer", lambda: redis)
    monkeypatch.setattr(layer, "JOIN_AGAIN", 0.02)
    heard: list[dict[str, Any]] = []

    async def listen() -> None:
        async for message in layer.at_desk():
            heard.append(message)

    task = asyncio.create_task(listen())
    async with asyncio.timeout(PATIENCE):
        while len(redis.joined) < 4:  # noqa: ASYNC110  (nothing tells of it)
            await asyncio.sleep(0.01)
        redis.news.put_nowait({"type": "polly.stop"})
        while not heard:  # noqa: ASYNC110  (it has no other way)
            await asyncio.sleep(0.01)
    assert {*redis.joined} == {"channel 1"}
    assert not caplog.text
    task.cancel()
    await asyncio.wait({task})
    async with asyncio.timeout(PATIENCE):
        while not redis.left:  # noqa: ASYNC110  (nothing tells of it)
            await asyncio.sleep(0.01)
    assert redis.left == {"channel 1"}


class Stuck(Frail):
    """A layer whose server takes a connection, and then says nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def new_channel(self) -> str:
        """Wait for ever."""
        self.asked += 1
        await asyncio.Event().wait()
        return ""

    async def group_send(self, _group: str, _message: dict[str, Any]) -> None:
        """Wait for ever."""
        await self.new_channel()


async def test_layer_that_says_nothing_is_waited_for_once_in_a_while(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stuck = Stuck()
    monkeypatch.setattr(layer, "site_layer", lambda: stuck)
    monkeypatch.setattr(layer, "LATE", 0.05)
    monkeypatch.setattr(layer, "REST", 10 * PATIENCE)
    monkeypatch.setattr(layer._Away, "until", 0.0)
    async with asyncio.timeout(PATIENCE):
        for _ in range(3):
            await layer.aring_desks(type="polly.stop", reply_id=1)
        assert await Ear().open() == ""
    assert stuck.asked == 1
    assert caplog.text.count("at=polly.desks fault=TimeoutError") == 1
    monkeypatch.setattr(layer._Away, "until", 0.0)
    async with asyncio.timeout(PATIENCE):
        await layer.aring_desks(type="polly.stop", reply_id=1)
    assert stuck.asked == 2


async def test_layer_that_is_down_stops_nobody(frail: Frail) -> None:
    frail.failures = 2
    await layer.aring_desks(type="polly.stop", reply_id=1)
    await layer.aring_workers(1)
    assert not frail.failures


def test_word_from_a_thread_when_the_loop_has_ended_waits_for_nobody() -> None:
    ended, said = threading.Event(), threading.Event()

    def work() -> None:
        ended.wait(PATIENCE)
        layer.ring_desks(type="polly.stop", reply_id=1)
        said.set()

    async def serve() -> asyncio.Task[None]:
        home.adopt()
        return asyncio.create_task(sync_to_async(work)())

    # As a server's: it stops with work in a thread, and nobody closes it.
    loop = asyncio.new_event_loop()
    task = loop.run_until_complete(serve())
    loop.run_until_complete(asyncio.sleep(0))
    ended.set()
    try:
        assert said.wait(PATIENCE)
    finally:
        loop.run_until_complete(task)
        loop.run_until_complete(home.aclose())
        loop.close()
