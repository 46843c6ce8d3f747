"""Real servers for tests: daphne on a free port, workers, on one database."""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import redis
from django.db import connection

from tests.patience import PATIENCE
from tests.ports import free_port
from tests.programs import ROOT, Process, Program, until
from tests.rows import Rows, rows_of

__all__ = ["PATIENCE", "ROOT", "Site", "Worker", "free_port", "live_site", "scripted"]

REPLIES_CHANNEL = "polly-replies"


@dataclass(kw_only=True)
class HostProcess(Program):
    """A process of the tests' host site."""

    polly: dict[str, Any]
    rows: Rows | None = None
    """The database; without it the one that the tests themselves use."""
    layer: str = ""
    """What POLLY_TEST_LAYER says: see tests.settings."""

    def environment(self) -> dict[str, str]:
        """See Program."""
        return {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "POLLY_TEST_SETTINGS": json.dumps(self.polly),
            "POLLY_TEST_LAYER": self.layer,
            # Else a proxy would be asked for a fake provider of this very machine.
            "NO_PROXY": "127.0.0.1",
            **(self.rows or rows_of(connection)).environment,
        }


@dataclass(kw_only=True)
class Site(HostProcess):
    """A daphne process; it may be killed and started again on the same port."""

    options: tuple[str, ...] = ()
    """More options of daphne's command."""
    application: str = "tests.asgi:application"
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """The site's address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """See Program."""
        daphne = [sys.executable, "-m", "daphne", "--port", str(self.port)]
        return [*daphne, *self.options, "--verbosity", "0", self.application]

    def until_ready(self) -> None:
        """See Program."""
        wait_for_http(f"{self.url}/accounts/login/", self.running)


@dataclass(kw_only=True)
class Worker(HostProcess):
    """A process that runs replies for sites which share its layer and database."""

    channel: str = REPLIES_CHANNEL

    def command(self) -> list[str]:
        """See Program."""
        return [sys.executable, "-m", "django", "runworker", self.channel]

    def start(self) -> None:
        """Start the process and return when it listens on Redis."""
        before = self._listeners()
        self.launch()
        until(lambda: self._listeners() - before, "The worker listens.")

    def _listeners(self) -> set[int]:
        """Return who listens on Redis as this worker does, it among them."""
        assert self.process is None or self.is_alive, self.logged()
        kind, _, host = self.layer.partition("://")
        with closing(redis.Redis.from_url(f"redis://{host}")) as client:
            if kind == "redis":
                counted = client.pubsub_numsub(self.channel)
                return set(range(counted[0][1]))
            # On lists nothing tells who waits for which: whoever waits is counted.
            clients = client.client_list()
        return {int(each["id"]) for each in clients if each["cmd"] == "bzpopmin"}


def wait_for_http(url: str, process: Process) -> None:
    """Return when a URL answers, whatever it says; fail if the process ends before."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, "The server ended before it answered."
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)  # Nothing to wait on: the port opens when it opens.
    raise AssertionError(f"{url} did not answer within {PATIENCE} s.")


@contextmanager
def live_site(*options: str, **polly: Any) -> Iterator[Site]:
    """Start daphne with these options and POLLY settings, and end it afterwards."""
    with Site(polly={"DEFAULT_MODEL": "DUMMY", **polly}, options=options) as site:
        yield site


def scripted(**params: Any) -> dict[str, Any]:
    """Return POLLY settings under which the default model plays a script."""
    backend = "polly_htmx.llm.scripted.ScriptedInvoker"
    model = {"label": "Scripted", "backend": backend, "params": params}
    return {"DEFAULT_MODEL": "SCRIPTED", "MODELS": {"SCRIPTED": model}}


def provided(url: str, model: str, **entry: Any) -> dict[str, Any]:
    """Return POLLY settings under which the default model is asked over HTTP."""
    model_entry = {"label": "Mock", "model": f"openai/{model}", "api_base": url}
    return {"DEFAULT_MODEL": "MOCK", "MODELS": {"MOCK": {**model_entry, **entry}}}
