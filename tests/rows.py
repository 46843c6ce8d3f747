"""
Rows: the database of live processes, from the outside.

A live test on a database of its own needs no Django connection to it: a process of
the site makes tables and people, and plain SQL reads what became of them.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.rows import dict_row

from tests import forks
from tests.patience import PATIENCE

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who is signed in, with conversations to talk in."""

    name: str
    cookie: str
    """The value of the Cookie header."""
    conversations: list[str]
    """Public ids."""


class Rows(Protocol):
    """A database that processes of a test share."""

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead tests.settings here."""

    def all(self, sql: str, *values: Any) -> list[Row]:
        """Return the rows that a query with %s for each value finds."""


class _Tools:
    """What can be done with any database."""

    environment: dict[str, str]

    def migrate(self) -> None:
        """Make the tables."""
        self._run("-m", "django", "migrate", "--verbosity", "0")

    def people(
        self, count: int = 1, conversations: int = 1, model: str = "SCRIPTED"
    ) -> list[Person]:
        """Make people, each with conversations of their own with one Parrot."""
        made = self._run("-m", "tests.seed", str(count), str(conversations), model)
        return [Person(**person) for person in json.loads(made)]

    def person(self, conversations: int = 1, model: str = "SCRIPTED") -> Person:
        """Make somebody with conversations of their own; see people()."""
        return self.people(1, conversations, model)[0]

    def messages(self, conversation: str) -> list[Row]:
        """Return the messages of a conversation, in their order."""
        return self.all(
            "SELECT m.* FROM polly_htmx_message m"
            " JOIN polly_htmx_smartconversation c ON c.id = m.conversation_id"
            " WHERE c.external_id = %s ORDER BY m.sequence",
            self.key(conversation),
        )

    def key(self, public_id: str) -> str:
        """Return a public id as the database writes it."""
        return public_id

    def all(self, sql: str, *values: Any) -> list[Row]:
        """See Rows."""
        raise NotImplementedError

    def _run(self, *command: str) -> str:
        settings = {"DJANGO_SETTINGS_MODULE": "tests.settings", **forks.FAULTHANDLER}
        env = {**os.environ, **settings, **self.environment}
        return forks.output([sys.executable, *command], env, PATIENCE)


class SqliteRows(_Tools):
    """A file."""

    _migrated: ClassVar[list[bytes]] = []
    """The first file that was migrated, before it had any rows."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.environment = {"POLLY_TEST_DATABASE": "sqlite", "POLLY_TEST_SQLITE": path}

    def migrate(self) -> None:
        """Make the tables: once by the migrations, and then as a copy."""
        file = Path(self.path)
        is_new = not file.exists()
        if is_new and self._migrated:
            file.write_bytes(self._migrated[0])
            return
        super().migrate()
        if is_new:
            self.all("PRAGMA wal_checkpoint(TRUNCATE)")  # Else the file lacks some.
            self._migrated.append(file.read_bytes())

    def key(self, public_id: str) -> str:
        """See _Tools."""
        return public_id.replace("-", "")

    def all(self, sql: str, *values: Any) -> list[Row]:
        """See Rows."""
        with closing(sqlite3.connect(self.path, timeout=20)) as connection:
            connection.row_factory = sqlite3.Row
            with connection:
                found = connection.execute(sql.replace("%s", "?"), values).fetchall()
        return [dict(row) for row in found]


class PostgresRows(_Tools):
    """A database of a PostgreSQL server."""

    def __init__(self, variables: dict[str, str], name: str) -> None:
        self.name = name
        self.address = (
            f"host={variables['PGHOST']} port={variables['PGPORT']}"
            f" user={variables['PGUSER']} dbname={name}"
        )
        self.environment = {
            "POLLY_TEST_DATABASE": "postgres",
            **variables,
            "PGDATABASE": name,
        }

    def all(self, sql: str, *values: Any) -> list[Row]:
        """See Rows."""
        with psycopg.connect(self.address, row_factory=dict_row) as connection:
            cursor = connection.execute(sql, values)
            return cursor.fetchall() if cursor.description else []


def rows_of(connection: BaseDatabaseWrapper) -> SqliteRows | PostgresRows:
    """Return the database that the tests themselves use."""
    settings: dict[str, Any] = connection.settings_dict
    if connection.vendor == "sqlite":
        return SqliteRows(str(settings["NAME"]))
    names: Sequence[str] = ("HOST", "PORT", "USER")
    variables = {f"PG{name}": str(settings[name]) for name in names}
    return PostgresRows(variables, str(settings["NAME"]))
