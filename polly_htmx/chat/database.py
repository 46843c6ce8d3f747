"""Database work of sockets and replies, on a connection that is kept between calls."""

from __future__ import annotations

import time
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import SyncToAsync
from django.db import connections

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

    Inside a transaction of the same thread, as in a TestCase, the connection stays.
    """

    def thread_handler(self, loop: Any, *args: Any, **kwargs: Any) -> Any:
        """See SyncToAsync."""
        _look_after()
        try:
            handle: Any = super().thread_handler
            return handle(loop, *args, **kwargs)
        finally:
            _keep()


def _look_after() -> None:
    # As close_old_connections(), which would end a transaction that it finds open.
    for each in connections.all(initialized_only=True):
        if not each.in_atomic_block:
            each.close_if_unusable_or_obsolete()


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
