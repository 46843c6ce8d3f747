"""A server whose every byte the test sends itself, behind TLS or a proxy if need be."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.fake_provider import stop_accepting

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """Return a piece of a body as it goes over the wire."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


class Site:
    """Takes connections, answers each request with a head, and leaves the rest to you."""

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        self._writer: asyncio.StreamWriter | None = None

    def say(self, *pieces: bytes) -> None:
        """Send chunks to whoever asked last, each by itself."""
        assert self._writer is not None
        for piece in pieces:
            self._writer.write(chunk(piece))

    def end(self) -> None:
        """End the body; the connection stays."""
        assert self._writer is not None
        self._writer.write(END)

    async def accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Serve one connection."""
        self.connections += 1
        self._writer = writer
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD)


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    """Serve on this loop."""
    site = Site()
    async with listening(site.accept, tls) as site.port:
        yield site


class Proxy:
    """Takes CONNECT, and counts."""

    def __init__(self) -> None:
        self.url = ""
        self.passed = 0

    async def accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Pass everything on, both ways."""
        asked = await reader.readuntil(b"\r\n\r\n")
        self.passed += 1
        host, _, port = asked.split()[1].decode().partition(":")
        there, back = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            await asyncio.gather(_pass(reader, back), _pass(there, writer))
        finally:
            back.transport.abort()


@asynccontextmanager
async def tunnelling() -> AsyncIterator[Proxy]:
    """Serve as a proxy on this loop."""
    proxy = Proxy()
    async with listening(proxy.accept) as port:
        proxy.url = f"http://127.0.0.1:{port}"
        yield proxy


@asynccontextmanager
async def listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    """Listen at a port, and leave nothing open."""
    tasks: set[asyncio.Task[None]] = set()

    async def accept(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await serve(reader, writer)
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    yield server.sockets[0].getsockname()[1]
    await stop_accepting(server)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # Transports close in the loop's next turn.
    await asyncio.sleep(0)


def contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what a server on 127.0.0.1 needs for TLS, and a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "site")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = folder / "site.pem"
    path.write_bytes(
        key.private_bytes(
            pem,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(pem)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    client = ssl.create_default_context(cafile=str(path))
    # Some versions of OpenSSL want more of whom they trust than this has.
    client.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
    return server, client


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()
