"""Field: the processes of a measurement, and what a run of clients costs a server."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

from benchmarks.streaming.texts import Asked
from tests.live import Site, provided, wait_for_http
from tests.ports import free_port
from tests.programs import ROOT, Program
from tests.rows import SqliteRows

Job = dict[str, Any]
PLENTY = 1_000_000
CONVERSATIONS = 1_200
"""Each reply has a conversation of its own, lest one carries the other as history."""
LIMITS = {
    "MESSAGES_PER_MINUTE": PLENTY,
    "MAX_RUNNING_REPLIES": PLENTY,
    "MAX_SOCKETS": PLENTY,
    "MAX_ANSWER_CHARS": 10 * PLENTY,
    "FIRST_TOKEN_TIMEOUT": 600,
    "GAP_TIMEOUT": 600,
}
PLAYED = {
    "DEFAULT_MODEL": "MOCK",
    "MODELS": {
        "MOCK": {
            "label": "Played",
            "backend": "benchmarks.streaming.invoker.PlayingInvoker",
        }
    },
}
WAYS = {
    "F1": "F1: bare relay of litellm",
    "F2": "F2: bare relay off the wire",
    "litellm": "polly_htmx, litellm",
    "scripted": "polly_htmx, scripted",
}


@dataclass(kw_only=True)
class Provider(Program):
    """The process of the mock provider."""

    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """The address to use as api_base."""
        return f"http://127.0.0.1:{self.port}/v1"

    def command(self) -> list[str]:
        """See Program."""
        module = "benchmarks.streaming.provider"
        return [sys.executable, "-m", module, str(self.port)]

    def until_ready(self) -> None:
        """See Program."""
        wait_for_http(self.url, self.running)


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server to measure, and the addresses of its conversations."""

    name: str
    site: Site
    doors: Iterator[Job]

    def lines(self, count: int, **job: Any) -> list[Job]:
        """Return sockets to as many conversations of their own."""
        return [{**next(self.doors), **job} for _ in range(count)]

    def asking(self, count: int, asked: Asked, **job: Any) -> list[Job]:
        """Return sockets that ask, one after the other within a second."""
        made = self.lines(count, message=asked.message, **job)
        return [{"after": number / count, **line} for number, line in enumerate(made)]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What was seen in a run, and what it cost the server."""

    tabs: list[dict[str, Any]]
    cpu: float

    @property
    def lags(self) -> list[float]:
        """The lags of all tokens in all tabs, sorted."""
        return sorted(lag for tab in self.tabs for lag in tab["lags"])


def percentile(values: list[float], share: float) -> float:
    """Return the value below which a share of sorted values lies."""
    return values[min(len(values) - 1, int(len(values) * share))]


class Field:
    """The provider and the servers, started when they are first asked for."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._servers: dict[str, Server] = {}

    def __enter__(self) -> Self:
        self._stack.__enter__()
        folder = tempfile.TemporaryDirectory(prefix="polly-bench-")
        self._folder = Path(self._stack.enter_context(folder))
        self._provider = self._stack.enter_context(Provider(is_fork=False))
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    def server(self, name: str) -> Server:
        """Return one of WAYS, running and warm."""
        if name not in self._servers:
            made = self._floor(name) if name in {"F1", "F2"} else self._own(name)
            self._servers[name] = made
            # The first replies import and open what the others find there.
            self.run(made, made.asking(3, Asked(tokens=20)))
        return self._servers[name]

    def run(self, server: Server, jobs: list[Job]) -> Run:
        """Let clients do their jobs, and return what they saw."""
        with self.opened(server, jobs) as (told, tell):
            before = server.site.cpu()
            print(file=tell, flush=True)
            tabs = json.loads(told.readline())
            cpu = server.site.cpu() - before
        return Run(tabs=tabs, cpu=cpu)

    @contextmanager
    def opened(self, server: Server, jobs: list[Job]) -> Iterator[tuple[IO[str], ...]]:
        """Open the sockets of some jobs, and drop them in the end."""
        command = [sys.executable, "-m", "benchmarks.streaming.clients"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as clients:
            assert clients.stdin is not None
            assert clients.stdout is not None
            print(json.dumps(jobs), file=clients.stdin, flush=True)
            assert clients.stdout.readline() == "ready\n", server.site.logged()
            yield clients.stdout, clients.stdin

    def _floor(self, name: str) -> Server:
        extras = {"BENCH_FLOOR": name, "BENCH_PROVIDER": self._provider.url}
        site = Site(
            polly={},
            rows=SqliteRows(str(self._folder / "none.sqlite3")),
            application="benchmarks.streaming.floors:application",
            extras=extras,
            is_fork=False,
        )
        self._stack.enter_context(site)
        return Server(name=name, site=site, doors=_doors(site, "", [""] * PLENTY))

    def _own(self, name: str) -> Server:
        rows = SqliteRows(str(self._folder / f"{name}.sqlite3"))
        rows.migrate()
        person = rows.person(CONVERSATIONS, "MOCK")
        asked = provided(self._provider.url, "mock", api_key="k")
        polly = {**LIMITS, **(asked if name == "litellm" else PLAYED)}
        # As a site of the README has it, which waits for the disk at each commit.
        extras = {"POLLY_TEST_SYNCHRONOUS": "FULL"}
        made = Site(polly=polly, rows=rows, extras=extras, is_fork=False)
        site = self._stack.enter_context(made)
        return Server(
            name=name,
            site=site,
            doors=_doors(site, person.cookie, person.conversations),
        )


def _doors(site: Site, cookie: str, conversations: list[str]) -> Iterator[Job]:
    address = site.url.replace("http", "ws", 1)
    for key in conversations:
        url = f"{address}/polly/ws/smart-gpt/{key}/"
        yield {"url": url, "origin": site.url, "cookie": cookie}
