"""The display's end: no moment is the wrong one for it."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from polly_htmx.chat import layer
from polly_htmx.chat.display import Display
from polly_htmx.models import Message, SmartConversation
from tests.patience import PATIENCE


@pytest.mark.parametrize("steps", range(6))
async def test_cancellation_in_the_moment_of_a_piece_is_not_lost(
    steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def publish(_conversation: SmartConversation, _event: Any) -> None:
        """Take the event."""

    monkeypatch.setattr(layer, "apublish", publish)
    # It can afford no frame, so it waits for more, or for a pause.
    monkeypatch.setattr("polly_htmx.chat.pace.FREE_BYTES", -10_000)
    monkeypatch.setattr("polly_htmx.chat.display.PAUSE", 60)
    reply = Message(pk=1, external_id=uuid.uuid4(), conversation=SmartConversation())
    display = Display(reply, "run", lambda: True)
    task = asyncio.create_task(display.run())
    display.add("One ")
    for _ in range(5):
        await asyncio.sleep(0)
    display.add("two")
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=PATIENCE)
    assert done
    assert task.cancelled()
