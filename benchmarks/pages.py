"""
What the length of a conversation costs its page: time and queries, as ratios.

Pages of all lengths are loaded by turns in one run, so that whatever slows the machine
down slows all of them. Ends with 1 where a ratio misses its target.

Run it with: python benchmarks/pages.py [rounds]
"""

from __future__ import annotations

import gzip
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import django

ROUNDS = 30
SHORT, LONG = 20, 5_000
TARGET = 1.5
"""Times that the page of a long conversation may take of that of a short one."""
PAGES = ("newest", "oldest", "afresh")


def main(rounds: int) -> int:
    """Make the conversations, load their pages by turns, and print the ratios."""
    from django.contrib.auth import get_user_model  # noqa: PLC0415 - after setup()
    from django.core.management import call_command  # noqa: PLC0415 - after setup()
    from django.test import Client  # noqa: PLC0415 - after setup()

    from benchmarks.long_page import conversation_of  # noqa: PLC0415 - after setup()

    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create_user("someone")
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    chats = {length: conversation_of(user, length) for length in (SHORT, LONG)}
    print(f"{'page':>8}{'messages':>10}{'queries':>9}{'ms':>8}{'kB':>7}{'kB gzip':>9}")
    ratios = {}
    for page in PAGES:
        times = measure(client, chats, page, rounds)
        ratios[page] = times[LONG] / times[SHORT]
    # A short conversation has no older page: what it is asked for is its newest.
    for page, ratio in ratios.items():
        print(f"{page}: {ratio:.2f} times the page of a short conversation")
    print(f"target: {TARGET} at the most, for the newest page")
    return int(ratios["newest"] > TARGET)


def measure(
    client: Any, chats: dict[int, str], page: str, rounds: int
) -> dict[int, float]:
    """Load one kind of page of all conversations by turns; return the medians, in s."""
    from django.db import connection  # noqa: PLC0415 - after setup()
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415 - after setup()

    times: dict[int, list[float]] = {length: [] for length in chats}
    for _round in range(rounds):
        for length, chat in chats.items():
            address = address_of(chat, length, page)
            started = time.perf_counter()
            client.get(address, headers={"HX-Request": "true"})
            times[length].append(time.perf_counter() - started)
    medians = {length: statistics.median(taken) for length, taken in times.items()}
    for length, chat in chats.items():
        with CaptureQueriesContext(connection) as queries:
            html = client.get(address_of(chat, length, page)).content
        print(
            f"{page:>8}{length:>10}{len(queries):>9}{medians[length] * 1000:>8.1f}"
            f"{len(html) / 1000:>7.0f}{len(gzip.compress(html)) / 1000:>9.1f}"
        )
    return medians


def address_of(chat: str, length: int, page: str) -> str:
    """Return where a page of a conversation is found."""
    # As many messages before the 21st as a short conversation has in all.
    older = "before/21/" if length > SHORT else ""
    return {"newest": chat, "afresh": f"{chat}afresh/", "oldest": f"{chat}{older}"}[
        page
    ]


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
