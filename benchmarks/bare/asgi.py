"""The ASGI application: pages, and a socket that hears a group of the channel layer."""

from __future__ import annotations

import os
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.bare.settings")


class Listener(AsyncWebsocketConsumer):
    """Repeats to everybody what one says."""

    groups = ["everybody"]

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        """Pass it on by the channel layer."""
        layer: Any = self.channel_layer
        await layer.group_send(*self.groups, {"type": "said", "text": text_data or ""})

    async def said(self, event: dict[str, Any]) -> None:
        """Tell the page what was said."""
        await self.send(text_data=event["text"])


application = ProtocolTypeRouter(
    {
        "http": ASGIStaticFilesHandler(get_asgi_application()),
        "websocket": Listener.as_asgi(),
    }
)
