"""Transport: sends httpx's requests by aiohttp, which parses answers in C."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

import aiohttp
import httpx
from yarl import URL

from polly_htmx.llm.gathering import GATHERING, Gathering

IDLE = 50
"""Seconds for which a connection waits for the next question; aiohttp's own 15 are
shorter than a person's thoughts."""
LONGEST_HEADER = 64 * 1024
"""Bytes; some providers tell more than aiohttp's own 8 kB of themselves."""

FAULTS: Mapping[type[Exception], type[httpx.RequestError]] = {
    # The first that fits: aiohttp's kinds are kinds of each other.
    aiohttp.ConnectionTimeoutError: httpx.ConnectTimeout,
    aiohttp.ServerTimeoutError: httpx.ReadTimeout,
    aiohttp.ClientConnectorError: httpx.ConnectError,
    aiohttp.ServerDisconnectedError: httpx.RemoteProtocolError,
    aiohttp.ClientPayloadError: httpx.RemoteProtocolError,
    aiohttp.ClientResponseError: httpx.RemoteProtocolError,
    aiohttp.InvalidURL: httpx.UnsupportedProtocol,
    aiohttp.ClientError: httpx.ReadError,
    OSError: httpx.ReadError,
}


class Transport(httpx.AsyncBaseTransport):
    """
    One loop's connections to all providers, any number of them at once.

    A question that waited for another answer's end would seem to be the provider's
    silence.
    """

    def __init__(self, *, verify: Any = True) -> None:
        self._context = httpx.create_ssl_context(verify)
        self._opened: AsyncGenerator[aiohttp.ClientSession] | None = None
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx.AsyncBaseTransport; raises httpx's own exceptions."""
        try:
            response = await self._send(request)
        except tuple(FAULTS) as exc:
            fault = translated(exc)
        else:
            body = Body(response)
            return httpx.Response(
                response.status,
                headers=response.raw_headers,
                stream=body,
                extensions={GATHERING: body.gathering},
            )
        # Outside the handler, so that nothing of aiohttp's hangs on it.
        raise fault

    async def aclose(self) -> None:
        """Close all connections."""
        if self._opened is not None:
            await self._opened.aclose()

    async def _send(self, request: httpx.Request) -> aiohttp.ClientResponse:
        timeout = request.extensions.get("timeout", {})
        session = self._session or await self._open()
        return await session.request(
            request.method,
            URL(str(request.url), encoded=True),
            headers=request.headers.multi_items(),
            data=_content(request),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(
                # The first of them counts the search for the address as well.
                connect=timeout.get("connect"),
                sock_connect=timeout.get("connect"),
                sock_read=timeout.get("read"),
            ),
        )

    async def _open(self) -> aiohttp.ClientSession:
        # A generator, for a loop that ends closes those that it has begun.
        self._opened = _session(self._context)
        self._session = await anext(self._opened)
        return self._session


async def _session(context: Any) -> AsyncGenerator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE, ssl=context)
    async with aiohttp.ClientSession(
        connector=connector,
        # httpx does both.
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        max_line_size=LONGEST_HEADER,
        max_field_size=LONGEST_HEADER,
    ) as session:
        yield session


class Body(httpx.AsyncByteStream):
    """An answer's body: all that is at hand makes one piece."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.gathering = Gathering()
        lengths = {"Content-Length", "Transfer-Encoding"}
        self._ends_with_line = lengths.isdisjoint(response.headers)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield until the body's end; raises httpx's own exceptions."""
        line = self._line
        fault: BaseException | None = None
        try:
            while piece := await self._read():
                yield piece
        except tuple(FAULTS) as exc:
            fault = exc
        finally:
            # Whoever stops reading need not say so: litellm's readers don't.
            self._let_go()
        if line is not None and self._ends_with_line and fault is None:
            # Only here can a reset be told from an end.
            lost = line.exception()
            fault = lost if isinstance(lost, aiohttp.ClientOSError) else None
        if fault is not None:
            raise translated(fault)

    async def aclose(self) -> None:
        """Close the connection, unless the body was read whole."""
        self._let_go()
        await sleep(0)  # The loop closes it in its next turn.

    def _let_go(self) -> None:
        line = self._line
        if line is not None and line.transport is not None:
            line.transport.abort()
        self._response.close()

    @property
    def _line(self) -> Any:
        """The connection's protocol, until the body's end has come."""
        connection = self._response.connection
        return connection.protocol if connection else None

    async def _read(self) -> bytes:
        """Return what is at hand, b"" at the end."""
        content = self._response.content
        if content.at_eof():
            return b""
        line = self._line
        await self.gathering.wait(None if line is None else line.transport)
        piece = await content.readany()
        self.gathering.count(len(piece))
        return piece


def translated(exc: BaseException) -> httpx.RequestError:
    """Return httpx's exception for aiohttp's, without a word of its own."""
    name = type(exc).__name__
    return next(known for kind, known in FAULTS.items() if isinstance(exc, kind))(name)


def _content(request: httpx.Request) -> Any:
    try:
        return request.content or None
    except httpx.RequestNotRead:
        del request.headers["Transfer-Encoding"]  # aiohttp's own.
        return request.stream
