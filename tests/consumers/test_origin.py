"""OriginValidator: only pages of the site itself open sockets."""

from __future__ import annotations

from typing import Any

import pytest

from polly_htmx.consumers.origin import is_own_origin
from tests.sockets import communicator


def scope(
    *origins: str, host: str = "example.com", scheme: str = "ws", **extra: str
) -> dict[str, Any]:
    headers = [(b"host", host.encode())]
    headers += [(b"origin", origin.encode()) for origin in origins]
    headers += [(name.encode(), value.encode()) for name, value in extra.items()]
    return {"type": "websocket", "path": "/", "scheme": scheme, "headers": headers}


@pytest.fixture(autouse=True)
def hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["example.com", "localhost"]


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        ("http://example.com", "example.com", "ws"),
        ("https://example.com", "example.com", "wss"),
        ("http://example.com:80", "example.com", "ws"),
        ("http://example.com", "example.com:80", "ws"),
        ("https://example.com:443", "example.com", "wss"),
        ("http://EXAMPLE.com", "example.com", "ws"),
        ("http://localhost:8000", "localhost:8000", "ws"),
    ],
)
def test_own_origin_is_let_through(origin: str, host: str, scheme: str) -> None:
    assert is_own_origin(scope(origin, host=host, scheme=scheme))


FOREIGN = [
    "https://evil.com",
    "null",
    "",
    "http://example.com.evil.com",
    "http://example.com@evil.com",
    "http://evil.com@example.com",
    "http://example.com:9999",
    "https://example.com",
    "ftp://example.com",
    "http://example.com/path",
    "http://example.com:port",
    "http://[::1",
    "http://",
    "http://xn--exmple-cua.com",
    "http://ex\u0430mple.com",
    "example.com",
    "http://localhost:8000",
]


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("allowed", [["example.com"], ["*"]])
def test_foreign_origin_is_refused(
    origin: str, allowed: list[str], settings: Any
) -> None:
    settings.ALLOWED_HOSTS = allowed
    assert not is_own_origin(scope(origin.encode().decode("latin-1")))


def test_missing_and_doubled_origins_are_refused() -> None:
    assert not is_own_origin(scope())
    assert not is_own_origin(scope("http://example.com", "http://example.com"))
    assert not is_own_origin(scope("http://example.com", "https://evil.com"))


def test_host_that_the_site_does_not_know_is_refused() -> None:
    assert not is_own_origin(scope("http://evil.com", host="evil.com"))


def test_listed_origin_is_let_through(settings: Any) -> None:
    settings.POLLY = {"ALLOWED_ORIGINS": ["https://shop.example.org"]}
    assert is_own_origin(scope("https://shop.example.org"))
    assert not is_own_origin(scope("http://shop.example.org"))


def test_debug_without_hosts_means_this_machine(settings: Any) -> None:
    settings.ALLOWED_HOSTS, settings.DEBUG = [], True
    own = scope("http://localhost:8000", host="localhost:8000")
    assert is_own_origin(own)
    assert not is_own_origin(scope("http://evil.com", host="localhost:8000"))


def test_proxy_header_counts_where_the_site_says_so(settings: Any) -> None:
    behind = scope("https://example.com", **{"x-forwarded-proto": "https"})
    assert not is_own_origin(behind)
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert is_own_origin(behind)


async def test_foreign_page_is_refused_before_accept(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    headers = [(b"host", b"testserver"), (b"origin", b"https://evil.com")]
    socket = communicator("/polly/ws/smart-gpt/x/", headers=headers)
    connected, _code = await socket.connect()
    assert not connected
