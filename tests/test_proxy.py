"""The wire that tests cut, mute and slow down."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.patience import PATIENCE
from tests.proxy import Proxy


class Echo(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while data := self.connection.recv(1024):
            self.connection.sendall(data)


@pytest.fixture
def wire() -> Iterator[Proxy]:
    """Return a wire to a server that says what it hears."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        with Proxy(("127.0.0.1", server.server_address[1])) as proxy:
            yield proxy
        server.shutdown()
        thread.join()


def client(wire: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", wire.port), timeout=PATIENCE)


def said(end: socket.socket, text: bytes = b"hello") -> bytes:
    end.sendall(text)
    return end.recv(1024)


def test_wire_passes_on_and_counts(wire: Proxy) -> None:
    with client(wire) as end:
        assert said(end) == b"hello"
    assert wire.passed == len(b"hello")


def test_cut_wire_is_heard_at_once_and_a_new_one_can_be_laid(wire: Proxy) -> None:
    with client(wire) as end:
        said(end)
        wire.cut()
        with suppress(ConnectionResetError):  # as good an end
            assert end.recv(1024) == b""
    with client(wire) as end:
        assert said(end) == b"hello"


def test_wire_that_takes_nobody_closes_at_once(wire: Proxy) -> None:
    wire.accepts = False
    with client(wire) as end:
        assert end.recv(1024) == b""


def test_mute_wire_stays_open_and_loses_nothing(wire: Proxy) -> None:
    with client(wire) as end:
        said(end)
        wire.blackhole()
        end.settimeout(0.2)
        with pytest.raises(TimeoutError):
            said(end, b"held back")
        end.settimeout(PATIENCE)
        wire.restore()
        assert end.recv(1024) == b"held back"


def test_slow_wire_takes_its_time_both_ways(wire: Proxy) -> None:
    wire.delay = 0.1
    with client(wire) as end:
        started = time.monotonic()
        assert said(end) == b"hello"
        assert time.monotonic() - started >= 0.2
