"""
Queries, time and size of the chat page, for conversations of different lengths.

Run it with: python benchmarks/long_page.py [rounds]
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import django

ROUNDS = 10
LENGTHS = (20, 1_000, 5_000)
TARGET = 12
TEXT = "Parrots eat **seeds** and *fruit*:\n\n- apples\n- `nuts`\n\nThat is message {}."


def main(rounds: int) -> None:
    """Make the conversations, and load each page some times."""
    from django.contrib.auth import get_user_model  # noqa: PLC0415 - after setup()
    from django.core.management import call_command  # noqa: PLC0415 - after setup()
    from django.test import Client  # noqa: PLC0415 - after setup()

    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create_user("someone")
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    print(f"{'messages':>9}{'queries':>9}{'ms, median':>12}{'shown':>7}{'kB':>6}")
    for length in LENGTHS:
        measure(client, conversation_of(user, length), length, rounds)
    print(f"target: under {TARGET} queries, whatever the length")


def conversation_of(user: Any, length: int) -> str:
    """Make a conversation of some length, and return the address of its page."""
    from polly_htmx.models import (  # noqa: PLC0415 - after setup()
        Message,
        Parrot,
        SmartConversation,
    )

    parrot, _made = Parrot.objects.get_or_create(name="Polly", model="DUMMY")
    chat = SmartConversation.objects.create(user=user, parrot=parrot)
    parties = (Message.Party.USER, Message.Party.ASSISTANT)
    Message.objects.bulk_create(
        Message(
            conversation=chat,
            party=parties[number % 2],
            content=TEXT.format(number),
            version=parrot.current_version() if number % 2 else None,
        )
        for number in range(length)
    )
    return chat.get_absolute_url()


def measure(client: Any, address: str, length: int, rounds: int) -> None:
    """Load a page, and print one line of the table."""
    from django.db import connection  # noqa: PLC0415 - after setup()
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415 - after setup()

    with CaptureQueriesContext(connection) as queries:
        page = client.get(address).content
    count = len(queries)  # The next request forgets them.
    times = []
    for _round in range(rounds):
        started = time.perf_counter()
        client.get(address)
        times.append(time.perf_counter() - started)
    shown = page.count(b"<article")
    print(
        f"{length:>9}{count:>9}{statistics.median(times) * 1000:>12.1f}"
        f"{shown:>7}{len(page) / 1000:>6.0f}"
    )


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
