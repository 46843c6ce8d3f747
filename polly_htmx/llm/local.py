"""The engine for models in this process: the only module that speaks to xllamacpp."""

from __future__ import annotations

import http.client
import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from polly_htmx.conf import conf
from polly_htmx.llm import exceptions, files

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
CONTEXT = 16_384
"""Tokens that all slots share, where the site says nothing; one may take what its
model was trained for."""
PROMPT_CACHE_MIB = 256
"""Memory for prompts seen before; the engine's own limit is 8 GiB."""
MOST_THREADS = 4
"""Models small enough to run in here gain nothing from more."""
QUIET = -1
"""Below the engine's level for errors: it writes to stdout and stderr by itself."""
NEVER = -1
ASKING = 1.0
"""Seconds that an engine gets to say whether it sleeps."""
COUNTING = 10.0
"""Seconds that it gets to count the tokens of a text."""


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A model that is being served to this process alone."""

    api_base: str
    api_key: str = field(repr=False)
    server: Any = field(repr=False)
    """Kept, since the engine stops when this is collected."""

    @property
    def headers(self) -> dict[str, str]:
        """Return what each request must carry."""
        return {"Authorization": f"Bearer {self.api_key}"}


Key = tuple[int, Path]

_engines: dict[Key, Engine] = {}
_locks: dict[Key, threading.Lock] = {}
"""One for each file: a large model that is loading holds up no other one."""


def serve(file: str) -> Engine:
    """
    Return the engine of a model file, which is loaded on first use.

    Takes most of a second then, so call it on a thread that may wait.
    """
    key = _key(file)
    if key is None:
        raise exceptions.NotConfigured(f"The model file {file} is missing.")
    if (engine := _engines.get(key)) is not None:
        return engine
    with _locks.setdefault(key, threading.Lock()):
        if key not in _engines:
            _engines[key] = _load(key[1])
        return _engines[key]


def is_awake(file: str) -> bool:
    """
    Return whether a model could begin to answer at once.

    It can't before it is loaded, and where it has given its memory back. Asks the
    engine, so call it on a thread that may wait.
    """
    key = _key(file)
    engine = _engines.get(key) if key else None
    if engine is None:
        return False
    return not conf.LOCAL_IDLE_SECONDS or not _sleeps(engine)


def count_tokens(file: str, texts: Sequence[str]) -> list[int]:
    """Return how many tokens a model makes of each text; loads it if need be."""
    engine = serve(file)
    line = _line(engine, COUNTING)
    try:
        return [_count(engine, line, text) for text in texts]
    except (OSError, ValueError, KeyError, http.client.HTTPException):
        # It counts while it writes, so what keeps it from that ends answers too.
        return [len(text.encode()) for text in texts]
    finally:
        line.close()


def _count(engine: Engine, line: http.client.HTTPConnection, text: str) -> int:
    line.request("POST", "/tokenize", json.dumps({"content": text}), engine.headers)
    return len(json.load(line.getresponse())["tokens"])


def _line(engine: Engine, seconds: float) -> http.client.HTTPConnection:
    # By hand, since whatever else speaks HTTP may ask a proxy.
    address = urlsplit(engine.api_base)
    return http.client.HTTPConnection(str(address.hostname), address.port, seconds)


def _key(file: str) -> Key | None:
    path = files.find(file)
    # The process too: threads of the engine don't survive a fork.
    return None if path is None else (os.getpid(), path.resolve())


def _sleeps(engine: Engine) -> bool:
    line = _line(engine, ASKING)  # This question wakes nobody.
    try:
        line.request("GET", "/props", headers=engine.headers)
        return json.load(line.getresponse()).get("is_sleeping") is True
    except (OSError, ValueError, http.client.HTTPException):
        return False  # It is busy, and so awake.
    finally:
        line.close()


def _load(path: Path) -> Engine:
    # The engine ends the process over some broken files, so it gets none of them.
    if not files.is_gguf(path):
        raise exceptions.NotConfigured(f"{path.name} is not a GGUF file.")
    try:
        import xllamacpp
    except ImportError:
        xllamacpp = None
    if xllamacpp is None:
        raise exceptions.NotConfigured("The engine xllamacpp is not installed.")
    key = secrets.token_urlsafe(32)
    started = time.monotonic()
    server = _server(xllamacpp, path, key)
    logger.info("loaded %s in %.1f s", path.name, time.monotonic() - started)
    return Engine(api_base=f"{server.listening_address}/v1", api_key=key, server=server)


def _cores() -> int:
    # What this process may use, which in a container is less than there is.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _server(xllamacpp: Any, path: Path, key: str) -> Any:
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.hostnames = [HOST]
    params.port = 0  # any free one
    params.api_keys = [key]
    params.n_parallel = conf.LOCAL_SLOTS
    params.n_ctx = conf.LOCAL_CONTEXT or CONTEXT
    params.kv_unified = True
    params.cache_ram_mib = PROMPT_CACHE_MIB
    # Its threads wait for each other by spinning. One core stays free for the site:
    # with all of them taken, a busy machine wrote 3 tokens a second instead of 70.
    threads = conf.LOCAL_THREADS or max(1, min(_cores() - 1, MOST_THREADS))
    for work in (params.cpuparams, params.cpuparams_batch):
        work.n_threads, work.poll = threads, 0
    # Asleep it has dropped the weights, and it loads them for the next question.
    params.sleep_idle_seconds = conf.LOCAL_IDLE_SECONDS or NEVER
    params.verbosity = QUIET
    params.ui = False
    try:
        return xllamacpp.Server(params)
    except RuntimeError as exc:
        failure = type(exc).__name__
    raise exceptions.NotConfigured(
        f"{path.name} could not be loaded ({failure}): it is cut short or damaged, or "
        "too new for the engine. Fetch it again."
    )
