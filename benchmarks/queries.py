"""
Database queries of one reply, from its claim to its end, however long it streams.

Run it with: python benchmarks/queries.py [seconds ...]
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

SECONDS = (5, 20)
MORE = 6
"""Queries besides one for each second."""
RATE = 20
"""Words a second."""
NO_QUERY = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "PRAGMA")
"""How a transaction begins and ends is not counted: a database may do it unasked."""


class Counted:
    """Counts what is executed on every connection of this process."""

    def __init__(self) -> None:
        self.statements: Counter[str] = Counter()

    def listen(self) -> None:
        """Hear of all connections, those of other threads too."""
        from django.db import connection  # noqa: PLC0415 - after setup()
        from django.db.backends.signals import (  # noqa: PLC0415 - after setup()
            connection_created,
        )

        connection_created.connect(self._join)
        self._join(connection=connection)

    def _join(self, *, connection: Any, **_about: Any) -> None:
        if self._count not in connection.execute_wrappers:
            connection.execute_wrappers.append(self._count)

    def _count(
        self, execute: Callable[..., Any], sql: str, *execute_arguments: Any
    ) -> Any:
        verb = sql.split(maxsplit=1)[0]
        if verb not in NO_QUERY:
            self.statements[verb] += 1
        return execute(sql, *execute_arguments)


def main(lengths: list[int]) -> None:
    """Run a reply of each length, and print what it took."""
    from django.core.management import call_command  # noqa: PLC0415 - after setup()

    call_command("migrate", verbosity=0)
    counted = Counted()
    counted.listen()
    print(f"{'seconds':>9}{'queries':>9}{'target':>9}   of which")
    for seconds in lengths:
        reply = pending_reply(seconds)
        counted.statements.clear()
        started = time.perf_counter()
        run(reply)
        took = time.perf_counter() - started
        queries, found = counted.statements.total(), counted.statements.most_common()
        kinds = ", ".join(f"{number} {verb}" for verb, number in found)
        reply.refresh_from_db()
        assert reply.status == "complete", reply.status
        print(f"{took:>9.1f}{queries:>9}{seconds + MORE:>9}   {kinds}")


def pending_reply(seconds: int) -> Any:
    """Take a turn whose answer will take some seconds."""
    from django.contrib.auth.models import User  # noqa: PLC0415 - after setup()

    from polly_htmx.access import Who  # noqa: PLC0415 - after setup()
    from polly_htmx.chat import start_conversation, take_turn  # noqa: PLC0415
    from polly_htmx.models import Parrot  # noqa: PLC0415 - after setup()

    user, _made = User.objects.get_or_create(username="someone")
    parrot = Parrot.objects.create(name=f"Polly {seconds}", model=f"FOR_{seconds}")
    who = Who(user=user)
    turn = take_turn(start_conversation(parrot, who=who), "Hello", who=who)
    return turn.reply


def run(reply: Any) -> None:
    """Run a reply on a loop of its own."""
    from polly_htmx.chat.runner import arun_reply  # noqa: PLC0415 - after setup()

    asyncio.run(arun_reply(reply.pk))


def scripted(seconds: int) -> dict[str, Any]:
    """Return a model whose answer takes some seconds."""
    backend = "polly_htmx.llm.scripted.ScriptedInvoker"
    text = "word " * (seconds * RATE)
    return {
        "label": f"{seconds} s",
        "backend": backend,
        "params": {"text": text, "pace": 1 / RATE},
    }


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    wanted = [int(given) for given in sys.argv[1:]] or [*SECONDS]
    models = {f"FOR_{seconds}": scripted(seconds) for seconds in wanted}
    os.environ["POLLY_TEST_SETTINGS"] = json.dumps({"MODELS": models})
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    main(wanted)
