"""The transport: httpx's requests by aiohttp, with httpx's own faults."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from polly_htmx.llm.sessions import Session
from polly_htmx.llm.transport import Transport
from tests.llm.site import contexts, listening, serving, tunnelling
from tests.patience import PATIENCE

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OPEN_END = b"HTTP/1.1 200 OK\r\n\r\nbegun"
"""An answer that tells neither its length nor its end."""


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Return a client that asks by the transport."""
    async with httpx.AsyncClient(transport=Transport(), timeout=PATIENCE) as made:
        yield made


@asynccontextmanager
async def answering(
    answer: bytes, reset: asyncio.Event | None = None
) -> AsyncIterator[str]:
    """Serve an answer, and then close the connection, or reset it when told to."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        if reset:
            await reset.wait()
            line: socket.socket = writer.get_extra_info("socket")
            at_once = struct.pack("ii", 1, 0)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)

    async with listening(serve) as port:
        yield f"http://127.0.0.1:{port}/"


async def test_more_answers_at_once_than_aiohttp_would_ask_for(
    client: httpx.AsyncClient,
) -> None:
    async with serving() as site:
        url = f"http://127.0.0.1:{site.port}/"
        asked = [
            client.send(client.build_request("GET", url), stream=True)
            for _ in range(120)
        ]
        async with asyncio.timeout(PATIENCE):
            responses = await asyncio.gather(*asked)
        assert site.connections == 120
        for response in responses:
            await response.aclose()


async def test_end_of_the_line_ends_a_body_without_a_length(
    client: httpx.AsyncClient,
) -> None:
    async with answering(OPEN_END) as url:
        assert (await client.get(url)).content == b"begun"


async def test_reset_is_told_from_an_end(client: httpx.AsyncClient) -> None:
    reset = asyncio.Event()
    async with (
        answering(OPEN_END, reset) as url,
        client.stream("GET", url) as response,
        aclosing(response.aiter_raw()) as pieces,  # type: ignore[type-var]
    ):
        assert await anext(pieces) == b"begun"
        reset.set()
        with pytest.raises(httpx.ReadError):
            await anext(pieces)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (b"", httpx.RemoteProtocolError),
        (b"nonsense\r\n\r\n", httpx.RemoteProtocolError),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegun",
            httpx.RemoteProtocolError,
        ),
    ],
)
async def test_fault_is_told_as_one_of_httpx(
    client: httpx.AsyncClient, answer: bytes, fault: type[Exception]
) -> None:
    async with answering(answer) as url:
        with pytest.raises(fault) as caught:
            await client.get(url)
    assert url not in str(caught.value)
    assert caught.value.__cause__ is None or "aiohttp" not in str(
        type(caught.value.__cause__).__module__
    )


async def test_nobody_at_the_address_is_a_connect_error(
    client: httpx.AsyncClient,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(httpx.ConnectError):
        await client.get(f"http://127.0.0.1:{port}/")


async def test_provider_may_tell_much_of_itself(client: httpx.AsyncClient) -> None:
    about = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Policy: "
    async with answering(about + b"x" * 20_000 + b"\r\n\r\nok") as url:
        assert (await client.get(url)).text == "ok"


async def test_environment_may_send_questions_by_a_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, trusting = contexts(tmp_path)
    async with serving(server) as site, tunnelling() as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        for through, passed in ((False, 0), (True, 1)):
            session = Session(verify=trusting, through_proxies=through)
            request = session.build_request("GET", f"https://127.0.0.1:{site.port}/")
            response = await session.send(request, stream=True)
            assert response.status_code == 200
            assert proxy.passed == passed
            await response.aclose()


def test_loop_that_ends_leaves_nothing_open(caplog: pytest.LogCaptureFixture) -> None:
    async def ask() -> None:
        async with serving() as site:
            session = Session(through_proxies=False)
            request = session.build_request("GET", f"http://127.0.0.1:{site.port}/")
            response = await session.send(request, stream=True)
            site.end()
            assert await response.aread() == b""

    with caplog.at_level(logging.INFO):
        asyncio.run(ask())
    assert not [each for each in caplog.records if each.name == "asyncio"]
