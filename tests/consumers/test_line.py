"""A socket's own channel on the layer, and faults while it handles an event."""

from __future__ import annotations

from typing import Any

import pytest
from channels.auth import AuthMiddlewareStack
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from django.test import Client
from django.urls import path

from polly_htmx.consumers import SmartGPTConsumer
from polly_htmx.consumers.follower import Follower
from polly_htmx.models import SmartConversation
from tests.sockets import page

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("replies"),
]


class Ringing(SmartGPTConsumer):
    """A host's consumer that hears of news which its site sends to a group."""

    groups = ["news"]

    async def site_news(self, message: dict[str, Any]) -> None:
        """Pass on what happened."""
        await self.send_frame(f"<p>{message['text']}</p>")


async def test_consumer_with_groups_hears_what_its_site_sends(
    conversation: SmartConversation, signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The site's own consumer is looked up once a process: this is another process'.
    socket: Any = Ringing.as_asgi()
    own: Any = path("polly/ws/smart-gpt/<path:conversation>/", socket)
    stack = AuthMiddlewareStack(URLRouter([own]))
    monkeypatch.setattr("tests.sockets.application", stack)
    async with page(conversation.external_id, signed_in) as tab:
        layer: Any = get_channel_layer()
        await layer.group_send("news", {"type": "site.news", "text": "Lunch"})
        await tab.until("<p>Lunch</p>")
        await tab.send("Hello", nonce="n1")
        await tab.until("has answered.")


async def test_event_that_could_not_be_shown_is_made_up_for(
    conversation: SmartConversation,
    signed_in: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("polly_htmx.consumers.watch.TICK", 0.05)
    monkeypatch.setattr("polly_htmx.consumers.watch.POLL", 0.05)
    monkeypatch.setattr("polly_htmx.consumers.base.SILENCE", 0.05)
    shown = Follower.frames
    faults: list[str] = []

    async def frames(follower: Follower, event: Any) -> list[str]:
        if len(faults) < 2:
            faults.append(type(event).__name__)
            raise OSError("secret words of a person")
        return await shown(follower, event)

    monkeypatch.setattr(Follower, "frames", frames)
    async with page(conversation.external_id, signed_in) as tab:
        await tab.send("Hello", nonce="n1")
        await tab.until("has answered.")
    assert len(faults) == 2
    assert "event not shown" in caplog.text
    assert "fault=OSError" in caplog.text
    assert "secret" not in caplog.text
