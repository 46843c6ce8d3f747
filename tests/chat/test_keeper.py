"""The keeper: a run that may have lost its lease holds still, one that has gives up."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

import pytest

from polly_htmx.chat import checkpoints, keeper as keeper_module
from polly_htmx.chat.keeper import Keeper
from polly_htmx.models import Message
from tests.chat.test_runner import Talk, ask, talk
from tests.patience import PATIENCE

__all__ = ["talk"]
pytestmark = pytest.mark.django_db(transaction=True)
LEASE = 20.0


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.POLLY = {**settings.POLLY, "REPLY_LEASE": LEASE}
    monkeypatch.setattr(keeper_module, "CHECKPOINT_SECONDS", 0.05)


async def claimed(talk: Talk) -> tuple[Message, uuid.UUID]:
    """Return a reply with its owner."""
    reply = await ask(await asyncio.to_thread(talk))
    owner = uuid.uuid4()
    claim = Message.objects.claim
    assert await asyncio.to_thread(claim, reply.pk, owner=owner, seconds=LEASE)
    await reply.arefresh_from_db()
    return reply, owner


async def test_run_holds_its_reply_for_half_the_lease_without_a_renewal(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply, owner = await claimed(talk)
    keeper = Keeper(reply, owner, text=lambda: "")
    assert keeper.holds()
    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + LEASE / 2 - 1)
    assert keeper.holds()
    monkeypatch.setattr(time, "monotonic", lambda: clock() + LEASE / 2)
    assert not keeper.holds()


async def test_renewal_saves_the_text_and_lets_the_run_hold_on(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply, owner = await claimed(talk)
    keeper = Keeper(reply, owner, text=lambda: "One two")
    keeper._renewed -= LEASE  # As after a long pause of the machine.
    assert not keeper.holds()
    task = asyncio.create_task(keeper.run(_never, _never))
    async with asyncio.timeout(PATIENCE):
        while not keeper.holds():  # noqa: ASYNC110 - until it has renewed
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait({task})
    before = reply.lease_until
    assert before is not None
    await reply.arefresh_from_db()
    assert reply.content == "One two"
    assert reply.lease_until is not None
    assert reply.lease_until > before


async def test_run_whose_reply_another_owns_gives_up_and_ends_nothing(
    talk: Talk,
) -> None:
    reply, owner = await claimed(talk)
    await Message.objects.filter(pk=reply.pk).aupdate(lease_owner=uuid.uuid4())
    gave_up = asyncio.Event()
    keeper = Keeper(reply, owner, text=lambda: "of a ghost")
    async with asyncio.timeout(PATIENCE):
        await keeper.run(_never, gave_up.set)
    assert gave_up.is_set()
    assert keeper.lost
    assert not keeper.holds()
    reply.status, reply.content = Message.Status.COMPLETE, "of a ghost"
    assert not await asyncio.to_thread(keeper.end)
    await reply.arefresh_from_db()
    assert (reply.status, reply.content) == (Message.Status.STREAMING, "")


async def test_run_hears_in_the_row_that_a_person_wants_the_end(talk: Talk) -> None:
    reply, owner = await claimed(talk)
    await Message.objects.filter(pk=reply.pk).aupdate(stop_requested=True)
    wanted = asyncio.Event()
    keeper = Keeper(reply, owner, text=lambda: "One")
    task = asyncio.create_task(keeper.run(wanted.set, _never))
    await asyncio.wait_for(wanted.wait(), PATIENCE)
    task.cancel()
    await asyncio.wait({task})
    assert not keeper.lost


async def test_outage_of_the_database_is_waited_out(
    talk: Talk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reply, owner = await claimed(talk)
    tries = 0

    async def failing(checkpoint: Any) -> Any:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise OSError("ADDRESS-CANARY")
        return await checkpoints.save(checkpoint)

    monkeypatch.setattr(keeper_module, "save", failing)
    keeper = Keeper(reply, owner, text=lambda: "One two")
    task = asyncio.create_task(keeper.run(_never, _never))
    async with asyncio.timeout(PATIENCE):
        while reply.content != "One two":
            await asyncio.sleep(0.01)
            await reply.arefresh_from_db()
    task.cancel()
    await asyncio.wait({task})
    assert "fault=OSError" in caplog.text
    assert "CANARY" not in caplog.text


def _never() -> None:
    raise AssertionError("The run was told to end.")
