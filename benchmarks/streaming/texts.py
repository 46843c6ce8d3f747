"""Answers of the mock provider: what is said, how fast, and stamped with the time."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import count, islice

END = "TheEnd9"
"""The last word of every answer, by which clients see that all has come."""
STAMP = re.compile(r"t(\d+)\.(\d+);")
ARRIVAL = re.compile(r"a\.(\d+);")
TALE = (
    "parrots eat seeds fruit nuts and flowers while they talk about the weather of"
    " distant islands where nobody has ever counted how many feathers a wing can hold"
)
WORDS = TALE.split()
SENTENCE, PARAGRAPH, ROW, LINE = 12, 60, 8, 9
"""Tokens of each."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a client asks the provider for; travels as the message itself."""

    tokens: int
    rate: float = 0.0
    """Tokens a second; 0 for as fast as can be."""
    kind: str = "stamped"
    first: float = 0.0
    """Seconds before the first token."""

    @property
    def message(self) -> str:
        """The message that makes the provider answer so."""
        return json.dumps(asdict(self))

    @property
    def characters(self) -> int:
        """How long the answer will be."""
        return sum(map(len, pieces(self)))


def read(message: str) -> Asked:
    """Return what a message asks for."""
    return Asked(**json.loads(message))


async def play(asked: Asked) -> AsyncGenerator[str]:
    """Yield the answer's tokens, each at its exact time, however late the last was."""
    arrived = time.monotonic_ns()
    start = time.monotonic() + asked.first
    for number, piece in enumerate(pieces(asked)):
        if asked.rate or not number:
            due = start + (number / asked.rate if asked.rate else 0)
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
        if asked.kind != "stamped" or piece.endswith(END):
            yield piece
            continue
        arrival = "" if number else f"a.{arrived}; "
        gap = "\n\n" if number % PARAGRAPH == PARAGRAPH - 1 else " "
        yield f"{arrival}t{number}.{time.monotonic_ns()};{gap}"


def pieces(asked: Asked) -> Iterator[str]:
    """Yield the tokens of an answer without their stamps."""
    yield from islice(KINDS[asked.kind](), asked.tokens)
    yield "\n```\n" if asked.kind == "code" else ""
    yield f"\n\n{END}"


def _words() -> Iterator[str]:
    # The same words each time, so that each server gets the same answer.
    source = random.Random(7)
    while True:
        yield source.choice(WORDS)


def _paragraph() -> Iterator[str]:
    for number, word in enumerate(_words(), 1):
        yield f"{word}. " if number % SENTENCE == 0 else f"{word} "


def _prose() -> Iterator[str]:
    for number, word in enumerate(_paragraph(), 1):
        yield f"{word.rstrip()}\n\n" if number % PARAGRAPH == 0 else word


def _list() -> Iterator[str]:
    for number, word in enumerate(_words()):
        yield f"\n- {word}" if number % LINE == 0 else f" {word}"


def _table() -> Iterator[str]:
    yield "| one | two | three | four |\n"
    yield "| --- | --- | --- | --- |\n"
    for number, word in enumerate(_words()):
        end = " |\n" if number % ROW == ROW - 1 else ""
        yield (f" | {word}" if number % 2 == 0 else f" {word}") + end


def _code() -> Iterator[str]:
    yield "```python\n"
    words = _words()
    for number in count():
        yield f"def {next(words)}_{number}("
        yield f"{next(words)}: int, "
        yield f"{next(words)}: str) -> str:\n"
        yield f'    """{next(words)} {next(words)}"""\n'
        yield f"    return f'{{{next(words)}}}' "
        yield f"+ str({number} * 2)\n\n"


def _stamped() -> Iterator[str]:
    while True:
        yield f"t1234.{time.monotonic_ns()}; "


KINDS: dict[str, Callable[[], Iterator[str]]] = {
    "prose": _prose,
    "list": _list,
    "table": _table,
    "paragraph": _paragraph,
    "code": _code,
    "stamped": _stamped,
}
