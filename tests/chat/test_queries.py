"""What a reply costs the database: by its seconds, never by its words."""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.db.backends.signals import connection_created

from polly_htmx.chat import runner
from tests.chat.test_runner import Talk, ask, talk

__all__ = ["talk"]
pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 3
MORE = 6
NO_QUERY = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT", "PRAGMA")
"""How a transaction begins and ends: a database may do it unasked."""


class Counted:
    """The queries of all threads, from the moment on that it listens."""

    def __init__(self) -> None:
        self.queries: list[str] = []
        self.connections: list[Any] = []
        self.lock = threading.Lock()

    def listen(self, *, connection: Any, **_about: Any) -> None:
        """Hear of a connection's queries."""
        with self.lock:
            if connection not in self.connections:
                self.connections.append(connection)
                connection.execute_wrappers.append(self.count)

    def count(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        """Count a query, and pass it on."""
        if not sql.startswith(NO_QUERY):
            self.queries.append(sql)
        return execute(sql, *rest)

    def close(self) -> None:
        """Listen no more."""
        for each in self.connections:
            # Another thread may have laid its connection anew meanwhile.
            with contextlib.suppress(ValueError):
                each.execute_wrappers.remove(self.count)


@pytest.fixture
def counted() -> Iterator[Counted]:
    """Return the queries of this test."""
    counted = Counted()
    connection_created.connect(counted.listen)
    yield counted
    connection_created.disconnect(counted.listen)
    counted.close()


async def test_reply_takes_a_query_a_second_and_six_more(
    talk: Talk, counted: Counted
) -> None:
    conversation = await asyncio.to_thread(
        talk, text="word " * SECONDS * 50, pace=1 / 50
    )
    reply = await ask(conversation)
    # The thread that the run will use has its connection open already.
    await _in_its_thread(counted)
    counted.queries.clear()
    begun = time.time()
    await runner.arun_reply(reply.pk)
    ended = time.time()
    queries = len(counted.queries)
    await reply.arefresh_from_db()
    assert reply.status == "complete"
    assert ended - begun >= SECONDS
    assert queries >= SECONDS, "Something was not counted."
    # Checkpoints fall on whole seconds of the clock: 3.1 seconds may meet four.
    assert queries <= math.floor(ended) - math.floor(begun) + MORE, counted.queries


async def _in_its_thread(counted: Counted) -> None:
    await sync_to_async(lambda: counted.listen(connection=connection))()
