"""The watch: every open socket is asked again, and none can spoil it for others."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

import pytest

from polly_htmx.chat import home
from polly_htmx.consumers import watch
from tests.patience import PATIENCE

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("replies", "fast"),
]


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the rounds short."""
    for name, seconds in (("ROUND", 0.2), ("POLL", 0.05), ("TICK", 0.01)):
        monkeypatch.setattr(watch, name, seconds)


class Socket:
    """A socket that counts how often it is asked."""

    key = "SOCKET"

    def __init__(self, *, waits: bool = False) -> None:
        self.waits = waits
        self.rechecks = 0
        self.polls = 0

    async def recheck(self) -> None:
        self.rechecks += 1

    async def poll(self) -> None:
        self.polls += 1


class Failing(Socket):
    """A socket whose host has a bug."""

    async def recheck(self) -> None:
        await super().recheck()
        raise ValueError("SECRET")


class Hanging(Socket):
    """A socket whose host never answers."""

    async def recheck(self) -> None:
        await super().recheck()
        await asyncio.Event().wait()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110  (nothing tells of it)
            await asyncio.sleep(0.01)


async def test_all_are_asked_again_and_again() -> None:
    sockets = [Socket() for _ in range(20)]
    for socket in sockets:
        watch.join(socket)
    await until(lambda: all(socket.rechecks > 1 for socket in sockets))
    assert max(socket.rechecks for socket in sockets) <= 4


async def test_they_are_not_asked_all_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A round so long that the machine's own pauses are nothing beside it: a few are
    # asked soon, and by far not all.
    monkeypatch.setattr(watch, "ROUND", 20 * PATIENCE)
    sockets = [Socket() for _ in range(2_000)]
    for socket in sockets:
        watch.join(socket)
    await until(lambda: any(socket.rechecks for socket in sockets))
    assert sum(socket.rechecks > 0 for socket in sockets) < len(sockets) / 2


async def test_one_that_fails_or_hangs_holds_up_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failing, hanging, socket = Failing(), Hanging(), Socket()
    for each in (failing, hanging, socket):
        watch.join(each)
    await until(lambda: failing.rechecks > 1 and socket.rechecks > 1)
    assert hanging.rechecks == 1
    assert "fault=ValueError" in caplog.text
    assert "SECRET" not in caplog.text


async def test_one_that_waits_for_an_event_may_look_for_it() -> None:
    waiting, socket = Socket(waits=True), Socket()
    watch.join(waiting)
    watch.join(socket)
    await until(lambda: waiting.polls > 2)
    assert socket.polls == 0


async def test_one_that_has_left_is_not_asked() -> None:
    gone, socket = Socket(), Socket()
    watch.join(gone)
    watch.join(socket)
    watch.leave(gone)
    watch.leave(gone)
    await until(lambda: socket.rechecks > 1)
    assert gone.rechecks == 0


async def test_one_that_vanished_without_a_word_is_forgotten() -> None:
    watch.join(Socket())
    await until(lambda: len(watch._watch.due) <= 1)
    gc.collect()
    await until(lambda: not watch._watch.due)


async def test_it_ends_with_its_home_and_begins_anew_in_another() -> None:
    socket = Socket()
    watch.join(socket)
    await until(lambda: socket.rechecks > 0)
    await home.aclose()
    before = socket.rechecks
    await asyncio.sleep(0.5)
    assert socket.rechecks == before
    home.adopt()
    watch.join(socket)
    await until(lambda: socket.rechecks > before)
