"""
The process behind tests.forks: it imports what sites import, and forks.

    python -m tests.fork_server FILE

FILE is the number of the socket on which orders come. Nothing of ours is imported here,
no settings are read, no thread and no event loop is begun: all that is left to the fork.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
from pathlib import Path
from typing import Any

MODULES = (
    "autobahn.twisted.choosereactor",
    "channels.layers",
    "channels.routing",
    "django.contrib.admin.templatetags.admin_list",
    "django.contrib.admin.templatetags.admin_modify",
    "django.contrib.admin.views.main",
    "django.contrib.auth.apps",
    "django.contrib.auth.context_processors",
    "django.contrib.auth.tokens",
    "django.contrib.contenttypes.apps",
    "django.contrib.messages.apps",
    "django.contrib.messages.middleware",
    "django.contrib.messages.storage.fallback",
    "django.contrib.postgres.forms",
    "django.contrib.postgres.lookups",
    "django.contrib.postgres.search",
    "django.contrib.sessions.backends.db",
    "django.contrib.sessions.middleware",
    "django.contrib.staticfiles.apps",
    "django.contrib.staticfiles.handlers",
    "django.core.asgi",
    "django.core.management.sql",
    "django.core.servers.basehttp",
    "django.db.backends.sqlite3.base",
    "django.middleware.locale",
    "django.template.loaders.cached",
    "django.utils.translation.trans_real",
    "django_htmx.jinja",
    "django_htmx.middleware",
    "markdown_it",
    "nh3",
    "pygments.lexers",
    "twisted.internet.asyncioreactor",
    "twisted.internet.endpoints",
    "twisted.web.http",
)
"""What sites import and what can be imported without settings or a reactor."""
THREADS = Path("/proc/self/task")


def serve(line: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Do what is asked for; return an order and its files in a fork, None at the end."""
    while True:
        head, files, _flags, _address = socket.recv_fds(line, 4, 2)
        if not head:
            return None
        order = json.loads(_read(line, int.from_bytes(head)))
        if pid := order.get("poll"):
            found, status = os.waitpid(pid, os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if found else None
        elif (answer := os.fork()) == 0:
            return order, files
        for file in files:
            os.close(file)
        line.sendall(json.dumps(answer).encode())


def _read(line: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += line.recv(size - len(data))
    return data


def become(order: dict[str, Any], files: list[int]) -> None:
    """Run a module as python -m does, with another environment and another output."""
    for file, number in zip(files, (1, 2), strict=True):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(order["environment"])
    module, *arguments = order["command"]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def main() -> None:
    """Import, fork, and in a fork be what is wanted there."""
    # Who presses Ctrl-C in the terminal of the tests means them and the programs.
    interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in MODULES:
        importlib.import_module(name)
    # Else each fork would copy all pages when it first looks for garbage.
    gc.collect()
    gc.freeze()
    assert "twisted.internet.reactor" not in sys.modules
    assert len([*THREADS.iterdir()]) == 1, "No fork of a process with threads."
    with socket.socket(fileno=int(sys.argv[1])) as line:
        order = serve(line)
    if order:
        signal.signal(signal.SIGINT, interrupt)
        become(*order)


if __name__ == "__main__":
    main()
