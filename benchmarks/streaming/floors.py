"""
The two floors: bare consumers that relay a stream token by token, without any care.

BENCH_FLOOR says which: F1 reads it through litellm, F2 off the wire by httpx.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator
from html import escape
from typing import Any

import httpx
from channels.generic.websocket import AsyncWebsocketConsumer

PROVIDER = os.environ["BENCH_PROVIDER"]
FRAME = '<div hx-swap-oob="beforeend:#polly-text-1">{}</div>'
PATIENCE = 600

if os.environ["BENCH_FLOOR"] == "F1":
    # Imported before anybody is served: it takes seconds.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.suppress_debug_info = True
    litellm.disable_streaming_logging = True


class Relay(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Answers a message by the provider's tokens, a frame each."""

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        """Read a message, and stream right here, as the shortest example would."""
        asked = [{"role": "user", "content": json.loads(text_data or "")["message"]}]
        async for text in STREAMS[os.environ["BENCH_FLOOR"]](asked):
            await self.send(text_data=FRAME.format(escape(text)))


async def through_litellm(messages: list[dict[str, str]]) -> AsyncGenerator[str]:
    """Yield the texts of litellm's chunks."""
    answer = await litellm.acompletion(
        model="openai/mock",
        messages=messages,
        api_base=PROVIDER,
        api_key="k",
        stream=True,
        timeout=PATIENCE,
    )
    async for chunk in answer:
        if text := chunk.choices[0].delta.content:
            yield text


async def off_the_wire(messages: list[dict[str, str]]) -> AsyncGenerator[str]:
    """Yield the texts of the provider's own chunks."""
    asked = {"model": "mock", "messages": messages, "stream": True}
    url = f"{PROVIDER}/chat/completions"
    async with client().stream("POST", url, json=asked) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                choices = json.loads(line[6:])["choices"]
                if choices and (text := choices[0]["delta"].get("content")):
                    yield text


STREAMS = {"F1": through_litellm, "F2": off_the_wire}
_clients: list[httpx.AsyncClient] = []


def client() -> httpx.AsyncClient:
    """Return the one client, made on the loop that uses it."""
    if not _clients:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=200)
        _clients.append(
            httpx.AsyncClient(trust_env=False, timeout=PATIENCE, limits=limits)
        )
    return _clients[0]


_consumer = Relay.as_asgi()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Serve sockets on any path, and tell HTTP that there is nothing."""
    if scope["type"] == "websocket":
        await _consumer(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})
