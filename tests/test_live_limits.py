"""Limits and origins as daphne keeps them, seen by a client that is no browser."""

from __future__ import annotations

import base64
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import psutil
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import Client
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from polly_htmx.models import Message, SmartConversation
from tests.live import Site, live_site
from tests.patience import PATIENCE
from tests.sockets import chat_path

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]

SMALL = ("--websocket-max-message-size", "65536")
MIB = 1024 * 1024


@pytest.fixture
def start_site(transactional_db: None) -> Iterator[Callable[..., Site]]:
    """Return a function that starts a site with options of daphne."""
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(live_site(*options))


def line(site: Site, chat: SmartConversation, client: Client, **options: Any) -> Any:
    """Return a connection as the chat's page would open it, unless told."""
    cookie = f"{settings.SESSION_COOKIE_NAME}="
    cookie += client.cookies[settings.SESSION_COOKIE_NAME].value
    url = f"{site.url.replace('http', 'ws', 1)}{chat_path(chat.external_id)}"
    return connect(
        url,
        **{
            "origin": Origin(site.url),
            "additional_headers": {"Cookie": cookie},
            "max_size": None,
            "proxy": None,
            **options,
        },
    )


async def send(socket: ClientConnection, text: str, nonce: str = "n1") -> None:
    await socket.send(json.dumps({"message": text, "nonce": nonce, "HEADERS": {}}))


async def until(socket: ClientConnection, mark: str) -> str:
    """Return the first frame that holds the mark."""
    while True:
        frame = str(await socket.recv())
        if mark in frame:
            return frame


async def test_large_frame_within_the_servers_limit_is_told_and_the_socket_lives(
    start_site: Callable[..., Site],
    conversation: SmartConversation,
    signed_in: Client,
) -> None:
    site = await sync_to_async(start_site)()
    async with line(site, conversation, signed_in) as socket:
        await send(socket, "x" * 1_000_000)
        assert "1000000 characters" in await until(socket, "polly-error-")
        await send(socket, "Hello", "n2")
        await until(socket, 'data-acked="n2"')
        await until(socket, "has answered.")
    assert await Message.objects.filter(party="USER").acount() == 1


async def until_dropped(socket: ClientConnection, size: int) -> None:
    """Send a message of this size, and return when the server has hung up."""
    with suppress(ConnectionClosed):
        await send(socket, "x" * size)
    with pytest.raises(ConnectionClosed):
        await until(socket, "never")


@pytest.mark.parametrize(("options", "size"), [((), MIB + 1), (SMALL, 65_537)])
async def test_frame_over_the_servers_limit_drops_the_line_and_the_next_one_works(
    start_site: Callable[..., Site],
    conversation: SmartConversation,
    signed_in: Client,
    options: tuple[str, ...],
    size: int,
) -> None:
    site = await sync_to_async(start_site)(*options)
    async with line(site, conversation, signed_in) as socket:
        await until_dropped(socket, size)
    async with line(site, conversation, signed_in) as socket:
        await send(socket, "Hello", "n2")
        await until(socket, 'data-acked="n2"')
        await until(socket, "has answered.")
    assert await Message.objects.filter(party="USER").acount() == 1
    assert "Traceback" not in site.logged()


async def test_many_frames_over_the_limit_cost_the_server_no_memory(
    start_site: Callable[..., Site],
    conversation: SmartConversation,
    signed_in: Client,
) -> None:
    site = await sync_to_async(start_site)()
    process = psutil.Process(site.process.pid)
    sizes = []
    for _ in range(30):
        async with line(site, conversation, signed_in) as socket:
            await until_dropped(socket, MIB + 1)
        sizes.append(process.memory_info().rss)
    assert sizes[-1] - sizes[9] < 20 * MIB


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
async def test_handshake_of_a_foreign_page_gets_403(
    start_site: Callable[..., Site],
    conversation: SmartConversation,
    signed_in: Client,
    origin: str | None,
) -> None:
    site = await sync_to_async(start_site)()
    with pytest.raises(InvalidStatus) as refusal:
        async with line(site, conversation, signed_in, origin=origin):
            pass
    assert refusal.value.response.status_code == 403


def test_handshake_with_any_other_number_of_origins_than_one_is_refused(
    start_site: Callable[..., Site],
    conversation: SmartConversation,
    signed_in: Client,
) -> None:
    site = start_site()
    own, evil = site.url, "https://evil.example"
    assert handshake(site, conversation, signed_in, own) == 101
    assert handshake(site, conversation, signed_in) == 403
    for origins in ([own, own], [own, evil], [evil, own]):
        # Some of these autobahn refuses before they reach us, with a 400.
        assert handshake(site, conversation, signed_in, *origins) in {400, 403}


def handshake(
    site: Site, chat: SmartConversation, client: Client, *origins: str
) -> int:
    """Ask for a socket byte by byte, with as many Origins as wanted."""
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    lines = [
        f"GET {chat_path(chat.external_id)} HTTP/1.1",
        f"Host: 127.0.0.1:{site.port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        f"Cookie: {settings.SESSION_COOKIE_NAME}={session}",
        *(f"Origin: {origin}" for origin in origins),
    ]
    with socket.create_connection(("127.0.0.1", site.port), PATIENCE) as sock:
        sock.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = sock.recv(100).decode()
    version, status, *_ = answer.split()
    assert version == "HTTP/1.1"
    return int(status)
