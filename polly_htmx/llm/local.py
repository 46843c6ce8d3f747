"""The engine for models in this process: the only module that speaks to xllamacpp."""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from polly_htmx.llm import exceptions, files

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
SLOTS = 4
"""Answers at a time; more wait for their turn."""
CONTEXT = 16_384
"""Tokens that all slots share; one may take what its model was trained for."""
PROMPT_CACHE_MIB = 256
"""Memory for prompts seen before; the engine's own limit is 8 GiB."""
MOST_THREADS = 4
"""Models small enough to run in here gain nothing from more."""
QUIET = -1
"""Below the engine's level for errors: it writes to stdout and stderr by itself."""


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A model that is being served to this process alone."""

    api_base: str
    api_key: str = field(repr=False)
    server: Any = field(repr=False)
    """Kept, since the engine stops when this is collected."""


_engines: dict[tuple[int, Path], Engine] = {}
_lock = threading.Lock()


def serve(file: str) -> Engine:
    """
    Return the engine of a model file, which is loaded on first use.

    Takes most of a second then, so call it on a thread that may wait.
    """
    path = files.find(file)
    if path is None:
        raise exceptions.NotConfigured(f"The model file {file} is missing.")
    # The process too: threads of the engine don't survive a fork.
    key = (os.getpid(), path.resolve())
    with _lock:
        if key not in _engines:
            _engines[key] = _load(path)
        return _engines[key]


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
    params.n_parallel = SLOTS
    params.n_ctx = CONTEXT
    params.kv_unified = True
    params.cache_ram_mib = PROMPT_CACHE_MIB
    # Its threads wait for each other by spinning. One core stays free for the site:
    # with all of them taken, a busy machine wrote 3 tokens a second instead of 70.
    threads = max(1, min(_cores() - 1, MOST_THREADS))
    for work in (params.cpuparams, params.cpuparams_batch):
        work.n_threads, work.poll = threads, 0
    params.verbosity = QUIET
    params.ui = False
    try:
        return xllamacpp.Server(params)
    except RuntimeError as exc:
        failure = type(exc).__name__
    raise exceptions.NotConfigured(f"{path.name} could not be loaded ({failure}).")
