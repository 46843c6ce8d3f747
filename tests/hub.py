"""A hub of model files for tests, which serves each path as a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.patience import PATIENCE

Answer = Callable[["Request"], None]


class Request(BaseHTTPRequestHandler):
    """One request; the functions below answer it."""

    server: Server

    def do_GET(self) -> None:
        """Answer as the test says."""
        asked = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append(asked)
        self.server.answer(self)

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""

    def begin(self, status: int, length: int | None, **headers: str) -> None:
        """Send the head."""
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()


class Server(ThreadingHTTPServer):
    """Remembers what it was asked."""

    daemon_threads = True
    answer: Answer
    asked: list[dict[str, str]]

    def handle_error(self, *_args: Any) -> None:
        """Say nothing of clients that hang up."""


class Hub:
    """Runs while its block does; ``answer`` may be changed at any time."""

    def __init__(self, answer: Answer) -> None:
        self._server = Server(("127.0.0.1", 0), Request)
        self._server.asked = []
        self.answer = answer
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )

    @property
    def answer(self) -> Answer:
        """Return what answers now."""
        return self._server.answer

    @answer.setter
    def answer(self, answer: Answer) -> None:
        self._server.answer = answer

    @property
    def asked(self) -> list[dict[str, str]]:
        """Return the headers of all requests, in order, names in lower case."""
        return self._server.asked

    @property
    def url(self) -> str:
        """Return the address of a file."""
        return f"http://127.0.0.1:{self._server.server_port}/m.gguf"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def whole(data: bytes, *, ranges: bool = True, etag: str = '"one"') -> Answer:
    """Serve a file, as hubs do: parts of it too, while its mark is the same."""

    def answer(request: Request) -> None:
        asked = request.headers.get("Range", "")
        same = request.headers.get("If-Range", etag) == etag
        if not (asked and same and ranges):
            request.begin(200, len(data), ETag=etag)
            request.wfile.write(data)
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start >= len(data):
            request.begin(416, 0, Content_Range=f"bytes */{len(data)}")
            return
        span = f"bytes {start}-{len(data) - 1}/{len(data)}"
        request.begin(206, len(data) - start, ETag=etag, Content_Range=span)
        request.wfile.write(data[start:])

    return answer


def broken_off(data: bytes, length: int, *, etag: str = '"one"') -> Answer:
    """Promise a file, and hang up after so many bytes."""

    def answer(request: Request) -> None:
        request.begin(200, len(data), ETag=etag)
        request.wfile.write(data[:length])
        request.close_connection = True

    return answer


def stalled(data: bytes, length: int, until: threading.Event) -> Answer:
    """Promise a file, and send no more than so many bytes until an event."""

    def answer(request: Request) -> None:
        request.begin(200, len(data), ETag='"one"')
        request.wfile.write(data[:length])
        request.wfile.flush()
        until.wait(PATIENCE)

    return answer


def redirect(where: str, status: int = 302) -> Answer:
    """Send everybody elsewhere."""
    return lambda request: request.begin(status, 0, Location=where)


def page(status: int, body: bytes) -> Answer:
    """Serve something else."""

    def answer(request: Request) -> None:
        request.begin(status, len(body))
        request.wfile.write(body)

    return answer
