"""Dispatch: pending replies come to where they are written, and none is forgotten."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient
from django.urls import reverse
from django.utils import timezone

from polly_htmx.access import Who
from polly_htmx.chat import atake_turn, dispatch, layer
from polly_htmx.models import Message, SmartConversation
from tests.chat.halves import reply_of
from tests.chat.test_runner import Talk, talk
from tests.patience import PATIENCE

__all__ = ["talk"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def ended() -> AsyncIterator[None]:
    """End what a request has begun on the test's loop."""
    yield
    await dispatch.ashutdown()


async def test_sweep_begun_by_a_form_goes_on_after_the_request(
    talk: Talk,
    user: User,
    ended: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(dispatch, "SWEEP_SECONDS", 0.05)
    conversation = await asyncio.to_thread(talk)
    client = AsyncClient()
    await client.aforce_login(user)
    send = reverse("polly:send", args=[conversation.external_id])
    with caplog.at_level(logging.WARNING, "polly_htmx"):
        response = await client.post(send, {"message": "Hello"})
        assert response.status_code == 302
        await asyncio.sleep(0.3)  # Some rounds of the sweep.
    assert not caplog.records


@pytest.fixture
def rung(settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have workers write the replies; return those that they were told of."""
    settings.POLLY = {**settings.POLLY, "REPLIES": "worker"}
    rung: list[int] = []

    async def ring(reply_id: int) -> None:
        rung.append(reply_id)

    monkeypatch.setattr(layer, "aring_workers", ring)
    return rung


async def until(holds: Callable[[], bool]) -> None:
    """Return when something holds that happens on this loop."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - tasks of others' tell nobody
            await asyncio.sleep(0.01)


async def test_web_process_tells_workers_of_a_reply_and_writes_none(
    conversation: SmartConversation, ended: None, rung: list[int]
) -> None:
    dispatch.serve()
    turn = await atake_turn(conversation, "Hi", who=Who(user=conversation.user))
    reply = reply_of(turn)
    await until(lambda: bool(rung))
    assert rung == [reply.pk]
    await dispatch.ashutdown()  # Whatever was begun has come to its end by now.
    await reply.arefresh_from_db()
    assert (reply.status, reply.lease_owner) == (Message.Status.PENDING, None)


async def test_sweep_tells_workers_again_of_what_nobody_has_taken(
    conversation: SmartConversation,
    ended: None,
    rung: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatch, "SWEEP_SECONDS", 0.05)
    dispatch.serve()
    turn = await atake_turn(conversation, "Hi", who=Who(user=conversation.user))
    reply = reply_of(turn)
    await until(lambda: bool(rung))
    await asyncio.sleep(0.2)  # Some rounds of the sweep: it is too soon.
    assert len(rung) == 1
    past = timezone.now() - dispatch.RING_AGAIN_AFTER
    await Message.objects.filter(pk=reply.pk).aupdate(updated_at=past)
    await until(lambda: len(rung) > 2)
    assert set(rung) == {reply.pk}
    # Once a worker has it, nobody else is told.
    await Message.objects.filter(pk=reply.pk).aupdate(
        status=Message.Status.STREAMING,
        lease_owner=uuid.uuid4(),
        lease_until=timezone.now() + timedelta(seconds=60),
    )
    await asyncio.sleep(0.1)  # A round may be on its way.
    told = len(rung)
    await asyncio.sleep(0.2)
    assert len(rung) == told


async def test_worker_writes_what_it_is_told_of(
    talk: Talk, ended: None, rung: list[int], settings: Any
) -> None:
    conversation = await asyncio.to_thread(talk)
    settings.POLLY = {**settings.POLLY, "REPLIES": "worker"}
    dispatch.serve(as_worker=True)
    turn = await atake_turn(conversation, "Hi", who=Who(user=conversation.user))
    reply = reply_of(turn)
    dispatch.take_on(reply.pk)
    async with asyncio.timeout(PATIENCE):
        while reply.status != Message.Status.COMPLETE:
            await asyncio.sleep(0.01)
            await reply.arefresh_from_db()
    assert reply.content
