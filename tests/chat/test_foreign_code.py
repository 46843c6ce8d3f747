"""A host's hooks and listeners: whatever they do, a reply reaches its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NoReturn

import pytest
from django.utils import timezone

from polly_htmx.access import Who
from polly_htmx.chat import astop_reply, atake_turn, keeper, runner
from polly_htmx.chat.leases import interrupt_expired
from polly_htmx.hooks import Hook
from polly_htmx.models import Message, Parrot, SmartConversation
from polly_htmx.signals import reply_finished, reply_started
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

MUCH = "\n\n".join(f"Paragraph {number}." for number in range(500))


class Sleeper(Hook):
    """Waits for a service that never answers."""

    async def block(self, text: str, **_about: Any) -> str:
        await asyncio.Event().wait()
        return text


class Stubborn(Hook):
    """Takes a cancellation for a fault of the service that it asks."""

    async def block(self, text: str, **_about: Any) -> str:
        try:
            if "Paragraph 5." in text:
                await asyncio.Event().wait()
        except BaseException:  # noqa: BLE001  (as hosts write it)
            return text
        return text


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """Connect listeners that fail, and return what the last one in the row hears."""
    told: list[str] = []

    def fail(**_about: Any) -> NoReturn:
        raise RuntimeError("CANARY")

    def hear(message: Message, **_about: Any) -> None:
        told.append(message.status)

    signals = reply_started, reply_finished
    for signal in signals:
        signal.connect(fail)
        signal.connect(hear)
    yield told
    for signal in signals:
        signal.disconnect(fail)
        signal.disconnect(hear)


@pytest.fixture
async def running(
    conversation: SmartConversation, parrot: Parrot, scripted: Callable[..., None]
) -> Message:
    """Return the reply of a turn that a scripted model is to answer at length."""
    scripted(text=MUCH, pace=0.001)
    parrot.model = "SCRIPTED"
    await parrot.asave()
    conversation.parrot = parrot
    turn = await atake_turn(conversation, "Hi", who=Who(user=conversation.user))
    assert turn.reply
    return turn.reply


async def until(reply: Message, **fields: Any) -> None:
    """Return when the row of a reply says so."""
    rows = Message.objects.filter(pk=reply.pk, **fields)
    async with asyncio.timeout(PATIENCE):
        while not await rows.aexists():  # noqa: ASYNC110  (rows ring no bell)
            await asyncio.sleep(0.01)


async def test_hook_that_hangs_takes_no_longer_than_a_reply_may(
    running: Message, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "LATEST", 0.1)
    hooks = [f"{__name__}.Sleeper"]
    settings.POLLY = {**settings.POLLY, "HOOKS": hooks, "REPLY_MAX_SECONDS": 0.3}
    await asyncio.wait_for(runner.arun_reply(running.pk), PATIENCE)
    await running.arefresh_from_db()
    assert (running.status, running.error) == ("failed", "timed-out")


async def test_stop_ends_a_reply_whose_hook_does_not_hear_of_it(
    running: Message, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "CHECKPOINT_SECONDS", 0.05)
    settings.POLLY = {**settings.POLLY, "HOOKS": [f"{__name__}.Stubborn"]}
    task = asyncio.create_task(runner.arun_reply(running.pk))
    await until(running, content__contains="Paragraph 4.")
    await astop_reply(running, who=Who(user=running.conversation.user))
    await asyncio.wait_for(task, PATIENCE)
    await running.arefresh_from_db()
    assert running.status == "stopped"
    assert "Paragraph 499." not in running.content


async def test_listeners_that_fail_keep_nobody_from_hearing(
    running: Message, heard: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    past = timezone.now() - timedelta(seconds=1)
    rows = Message.objects.filter(pk=running.pk)
    await rows.aupdate(status="streaming", lease_until=past)
    assert await asyncio.to_thread(interrupt_expired) == 1
    assert heard == ["interrupted"]
    await rows.aupdate(status="pending", content="", error="")
    await runner.arun_reply(running.pk)
    assert heard == ["interrupted", "streaming", "complete"]
    assert "fault=RuntimeError" in caplog.text
    assert "CANARY" not in caplog.text


async def test_reply_that_is_written_here_is_not_taken_for_dead(
    running: Message,
) -> None:
    task = asyncio.create_task(runner.arun_reply(running.pk))
    await until(running, status="streaming")
    # As after an outage of the database that was longer than the lease.
    past = timezone.now() - timedelta(seconds=1)
    await Message.objects.filter(pk=running.pk).aupdate(lease_until=past)
    assert await asyncio.to_thread(interrupt_expired) == 0
    await asyncio.wait_for(task, PATIENCE)
    await running.arefresh_from_db()
    assert (running.status, running.content) == ("complete", MUCH)
