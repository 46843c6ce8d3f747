"""Services that a test starts for itself: a Redis and a PostgreSQL, both to break."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count

import psycopg
import redis

from scripts.postgres import cluster
from scripts.system import redis as redis_program
from tests.ports import free_port
from tests.programs import Program, until
from tests.rows import PostgresRows

TEMPLATE = "polly_template"
"""The database that is migrated once; the others are copied from it."""


@dataclass(kw_only=True)
class Redis(Program):
    """A redis-server that keeps nothing on disk and comes back on the same port."""

    port: int = field(default_factory=free_port)
    folder: str = field(default_factory=lambda: tempfile.mkdtemp(prefix="polly-redis-"))

    @property
    def layer(self) -> str:
        """What POLLY_TEST_LAYER must be for Channels' layer on Redis' pub/sub."""
        return f"redis://127.0.0.1:{self.port}"

    @property
    def core_layer(self) -> str:
        """What POLLY_TEST_LAYER must be for Channels' layer on Redis' lists."""
        return f"redis-core://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """See Program."""
        program = redis_program()
        assert program is not None, "redis-server is missing."
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder]
        return [program, *where, "--save", "", "--appendonly", "no"]

    def until_ready(self) -> None:
        """See Program."""
        until(self.answers, "Redis answers.")

    def answers(self) -> bool:
        """Return whether the server answers a ping."""
        assert self.is_alive, self.logged()
        try:
            return bool(self.ask("PING"))
        except redis.RedisError:
            return False

    def ask(self, *command: str) -> object:
        """Return the answer to a command."""
        with closing(redis.Redis(port=self.port, socket_timeout=5)) as client:
            return client.execute_command(*command)  # type: ignore[no-untyped-call]

    def __exit__(self, *exc_info: object) -> None:
        super().__exit__(*exc_info)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def redis_server() -> Iterator[Redis]:
    """Start a Redis of one's own, and end it afterwards."""
    with Redis() as server:
        yield server


class Postgres:
    """A throw-away cluster; each test takes a migrated database of its own."""

    def __init__(self, variables: dict[str, str]) -> None:
        self.variables = variables
        self._numbers = count(1)
        self._is_migrated = False

    def database(self) -> PostgresRows:
        """Make a database with our tables and no rows in them."""
        if not self._is_migrated:
            self._execute(f"CREATE DATABASE {TEMPLATE}")
            PostgresRows(self.variables, TEMPLATE).migrate()
            self._is_migrated = True
        # Suites that run side by side may share a cluster.
        name = f"polly_{os.getpid()}_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return PostgresRows(self.variables, name)

    def cut(self, rows: PostgresRows) -> int:
        """End all connections to a database as a failover does; return how many."""
        return self._execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{rows.name}' AND pid <> pg_backend_pid()"
        )

    def _execute(self, sql: str) -> int:
        main = PostgresRows(self.variables, "postgres")
        with psycopg.connect(main.address, autocommit=True) as connection:
            return connection.execute(sql).rowcount


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Start a cluster of one's own, and remove it afterwards."""
    with cluster() as variables:
        yield Postgres(variables)
