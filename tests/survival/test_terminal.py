"""polly_chat where workers write the replies: it follows, stops, and does not hang."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from tests import terminals
from tests.live import Worker, scripted
from tests.patience import PATIENCE
from tests.rows import Person, PostgresRows
from tests.services import Redis
from tests.survival.conftest import LONG_ANSWER, polly, reply_of

pytestmark = pytest.mark.live

WORKERS = polly(**scripted(text=LONG_ANSWER, pace=0.01), REPLIES="worker")
TERMINAL = polly(**scripted(text="It is not for me."), REPLIES="worker")
"""Who has written an answer is told by its text."""


@pytest.fixture(scope="module")
def worker(rows: PostgresRows, redis: Redis) -> Iterator[Worker]:
    """Return a process that writes replies."""
    with Worker(polly=WORKERS, rows=rows, layer=redis.layer) as process:
        yield process


@pytest.fixture
def variables(rows: PostgresRows, redis: Redis) -> dict[str, str]:
    """Return the environment of a terminal beside the worker."""
    return terminals.environment(TERMINAL, rows, redis.layer)


def talk(
    person: Person, variables: dict[str, str]
) -> AbstractContextManager[terminals.Terminal]:
    return terminals.terminal(["--conversation", person.conversations[0]], variables)


@pytest.mark.usefixtures("worker")
def test_reply_of_a_worker_is_followed_to_its_end(
    variables: dict[str, str], people: Iterator[Person], rows: PostgresRows
) -> None:
    person = next(people)
    with talk(person, variables) as terminal:
        terminal.until("You: ")
        terminal.type("Hello")
        terminal.until("word20 ")
        assert reply_of(rows, person.conversations[0])["status"] == "streaming"
        terminal.until("word399")
        terminal.until("You: ")
        terminal.type("/quit")
        assert terminal.process.wait(PATIENCE) == 0
    reply = reply_of(rows, person.conversations[0])
    assert (reply["status"], reply["content"]) == ("complete", LONG_ANSWER)


def test_ctrl_c_stops_the_worker_and_its_death_is_told(
    worker: Worker,
    variables: dict[str, str],
    people: Iterator[Person],
    rows: PostgresRows,
) -> None:
    person = next(people)
    chat = person.conversations[0]
    with talk(person, variables) as terminal:
        terminal.until("You: ")
        terminal.type("Hello")
        terminal.until("word20 ")
        terminal.interrupt()
        terminal.until("(Stopped.)")
        assert reply_of(rows, chat)["status"] == "stopped"
        terminal.until("You: ")
        terminal.type("Once more")
        terminal.until("word20 ")
        worker.kill()
        terminal.until("broke off before its end")
        assert reply_of(rows, chat)["status"] == "interrupted"
        terminal.until("You: ")
        # Nobody else is there now.
        terminal.type("Hello?")
        terminal.until("It is not for me.")
        assert reply_of(rows, chat)["status"] == "complete"
    worker.start()
