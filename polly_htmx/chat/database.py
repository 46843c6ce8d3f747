"""Database work of sockets and replies, on a connection that is kept between calls."""

from __future__ import annotations

import time
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import SyncToAsync
from django.db import close_old_connections, connections

P = ParamSpec("P")
T = TypeVar("T")

KEEP_SECONDS = 30.0
"""How long a connection may wait for the next call. All sockets and replies of a process
work in one thread, so this keeps one connection."""


class in_database(SyncToAsync[P, T]):  # noqa: N801  (called as a function)
    """
    Run a sync function that uses the database: ``await in_database(f)(...)``.

    As Channels' database_sync_to_async, which closes the connection after each call
    where CONN_MAX_AGE is 0: that is made for requests, and a reply would connect
    anew every second. A kept connection is looked at before it is used again, so one
    that the server has cut costs nobody an answer.

    Not for code that runs inside a transaction of the same thread.
    """

    def thread_handler(self, loop: Any, *args: Any, **kwargs: Any) -> Any:
        """See SyncToAsync."""
        close_old_connections()
        try:
            handle: Any = super().thread_handler
            return handle(loop, *args, **kwargs)
        finally:
            _keep()


def _keep() -> None:
    kept: Any  # The stubs know less of a connection than there is.
    for kept in connections.all(initialized_only=True):
        if kept.connection is None or kept.in_atomic_block:
            continue
        if kept.errors_occurred:
            kept.close_if_unusable_or_obsolete()
        elif kept.close_at is not None:
            kept.close_at = time.monotonic() + KEEP_SECONDS
            kept.health_check_enabled = True
