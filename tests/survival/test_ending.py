"""A site that is told to end does so, whatever it is asked in that moment."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.live import Site

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
REQUEST = b"GET /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@contextmanager
def asking(site: Site) -> Iterator[socket.socket]:
    """Ask for a page, and do not read it."""
    with socket.create_connection(("127.0.0.1", site.port)) as line:
        line.sendall(REQUEST)
        yield line


def test_requests_on_their_way_do_not_keep_a_process_that_is_told_to_end() -> None:
    with Site(polly={"DEFAULT_MODEL": "DUMMY"}) as site, ExitStack() as stack:
        lines = [stack.enter_context(asking(site)) for _ in range(40)]
        lines[0].recv(1)  # They are at work.
        for line in lines[::2]:
            line.close()
        site.kill(signal.SIGTERM)  # Fails if the process stays.
        assert not site.is_alive
