"""What the survival tests share: services of their own, and people to chat."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.fake_provider import FakeProvider
from tests.fake_scripts import SCRIPTS
from tests.patience import PATIENCE
from tests.rows import Person, PostgresRows, SqliteRows
from tests.services import Postgres, Redis, postgres, redis_server

LEASE = 2.0
"""Seconds of the tests' leases: what is lost shall be found soon."""
LONG_ANSWER = " ".join(f"word{number}" for number in range(400))


@pytest.fixture(scope="package")
def redis() -> Iterator[Redis]:
    """Return a Redis that a test may stop; it is back at the end of the test."""
    with redis_server() as server:
        yield server


@pytest.fixture(scope="package")
def cluster() -> Iterator[Postgres]:
    """Return a PostgreSQL for databases."""
    with postgres() as server:
        yield server


@pytest.fixture(scope="module")
def rows(cluster: Postgres) -> PostgresRows:
    """Return a database of the module's own."""
    return cluster.database()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> SqliteRows:
    """Return a SQLite file of the module's own."""
    made = SqliteRows(str(tmp_path_factory.mktemp("rows") / "rows.sqlite3"))
    made.migrate()
    return made


@pytest.fixture(scope="module")
def people(rows: PostgresRows) -> Iterator[Person]:
    """Return somebody new at each next()."""
    return iter(rows.people(30))


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    """Return a provider that answers over HTTP, as well or badly as told."""
    with FakeProvider(SCRIPTS) as server:
        yield server


def models(url: str, *scripts: str) -> dict[str, Any]:
    """Return settings with a model for each script of a provider, named after it."""
    entries = {
        script: {"model": f"openai/{script}", "api_base": url, "api_key": "none"}
        for script in scripts
    }
    return {"DEFAULT_MODEL": scripts[0], "MODELS": entries}


def polly(**settings: Any) -> dict[str, Any]:
    """Return settings under which what is lost is found soon."""
    return {
        "REPLY_LEASE": LEASE,
        "MESSAGES_PER_MINUTE": 100_000,
        "MAX_RUNNING_REPLIES": 1_000,
        **settings,
    }


def reply_of(rows: Any, conversation: str) -> dict[str, Any]:
    """Return the newest reply of a conversation as the database has it."""
    found: dict[str, Any] = rows.messages(conversation)[-1]
    assert found["party"] == "ASSISTANT"
    return found


def eventually(
    look: Callable[[], Any], what: str, *, patience: float = PATIENCE
) -> None:
    """Wait until something holds that only the database can tell."""
    deadline = time.monotonic() + patience
    while not look():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)  # Nothing to wait on: it happens in another process.
