"""
Time of a search in 100,000 messages, for rare and for common words, and a page's time.

Run it with: python benchmarks/search.py [messages]
On PostgreSQL: python -m scripts.postgres python benchmarks/search.py
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

MESSAGES = 100_000
IN_CHAT = 50
WORDS = 60
ROUNDS = 5
PARTS = 20
TARGET = 100
"""Milliseconds."""
SHARES = (0.9, 0.1)
"""What belongs to whom: one person with most of the messages, and one with few."""


def main(count: int) -> None:
    """Make the rows, and search as each of the people."""
    from django.core.management import call_command  # noqa: PLC0415 - after setup()
    from django.db import connection  # noqa: PLC0415 - after setup()

    from polly_htmx.chat.listing import listing  # noqa: PLC0415 - after setup()
    from polly_htmx.chat.search import search  # noqa: PLC0415 - after setup()

    call_command("migrate", verbosity=0)
    vocabulary = words_of_nobody()
    people = [person(share) for share in SHARES]
    for part in range(PARTS):  # By turns, as people write.
        for share, who in zip(SHARES, people, strict=True):
            fill(who, share, count // PARTS, vocabulary, part)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(f"{connection.vendor}, {count} messages, target under {TARGET} ms")
    print(f"{'words':<22}{'share':>6}{'found':>7}{'ms, median':>12}")
    queries = {
        "in 1 of 2,500": "needle",
        "in 1 of 50": vocabulary[400],
        "in half of them": vocabulary[0],
        "in all": "everywhere",
        "two of them": f"everywhere {vocabulary[0]}",
        "in none": "nowhere",
    }
    for name, query in queries.items():
        for share, who in zip(SHARES, people, strict=True):
            found, took = timed(lambda q=query, w=who: search(q, who=w))  # type: ignore[misc]
            print(f"{name:<22}{share:>6.0%}{len(found):>7}{took:>12.1f}")
    for share, who in zip(SHARES, people, strict=True):
        page, took = timed(lambda w=who: listing(w))  # type: ignore[misc]
        rows = sum(len(group.rows) for group in page.groups)
        print(f"{'a page of the list':<22}{share:>6.0%}{rows:>7}{took:>12.1f}")


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what some work returns, and its median time in milliseconds."""
    times = []
    for _round in range(ROUNDS):
        started = time.perf_counter()
        result = work()
        times.append((time.perf_counter() - started) * 1000)
    return result, statistics.median(times)


def words_of_nobody() -> list[str]:
    """Return words that are used the less the later they come, as in any language."""
    dice = random.Random(1)
    syllables = [a + b for a in "bcdfghjklmnprstvz" for b in "aeiou"]
    return [
        "".join(dice.choices(syllables, k=dice.randint(2, 4))) for _ in range(20_000)
    ]


def person(share: float) -> Any:
    """Make somebody."""
    from django.contrib.auth import get_user_model  # noqa: PLC0415 - after setup()

    from polly_htmx.access import Who  # noqa: PLC0415 - after setup()

    return Who(user=get_user_model().objects.create_user(f"share {share}"))


def fill(who: Any, share: float, count: int, vocabulary: list[str], part: int) -> None:
    """Give somebody a share of some messages."""
    from django.db.models import QuerySet  # noqa: PLC0415 - after setup()

    from polly_htmx.models import (  # noqa: PLC0415 - after setup()
        Message,
        Parrot,
        SmartConversation,
    )

    dice = random.Random(share + part)
    weights = [1 / (place + 4) for place in range(len(vocabulary))]
    parrot, _made = Parrot.objects.get_or_create(name="Polly", model="DUMMY")
    chats = SmartConversation.objects.bulk_create(
        SmartConversation(user=who.user, parrot=parrot, title=f"Chat {number}")
        for number in range(round(count * share / IN_CHAT))
    )
    for chat in chats:
        texts = []
        for _number in range(IN_CHAT):
            rare = " needle" if dice.random() < 1 / 2_500 else ""
            said = " ".join(dice.choices(vocabulary, weights, k=WORDS))
            texts.append(f"everywhere {said}{rare}")
        # Without a place in the tree, which nobody asks for here and takes its time.
        QuerySet(Message).bulk_create(
            Message(conversation=chat, party="USER", sequence=place, content=text)
            for place, text in enumerate(texts, 1)
        )


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MESSAGES)
