"""
What showing an answer while it is written costs, for answers of different lengths.

Run it with: python benchmarks/markdown_stream.py [characters of a step]

Each document is fed in small steps, as a model writes it. A cost that grows with the
length, and not with its square, gives every column the same number.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import django

STEP = 32
LENGTHS = (4_000, 32_000, 128_000)
FIRST, *_, LAST = LENGTHS
TARGET = 2.0

WORDS = (
    "Parrots eat **seeds** and *fruit*, and some of them like `nuts` best of all."
    " In the wild they fly far for it [(see here)](https://a.example/parrots)."
)
ROWS = "| Macaw {n} | *large* | {n} kg |\n"
Document = Callable[[], Iterator[str]]


def prose() -> Iterator[str]:
    """Paragraphs of some sentences, with headings between them."""
    for number in itertools.count(1):
        yield f"## Part {number}\n\n" + f"{WORDS} " * 3 + "\n\n"


def paragraph() -> Iterator[str]:
    """One paragraph."""
    for number in itertools.count(1):
        yield f"{WORDS} That was {number}. "


def items() -> Iterator[str]:
    """One list."""
    for number in itertools.count(1):
        yield f"- point {number}: {WORDS[:76]}\n"


def numbered() -> Iterator[str]:
    """One list with blank lines and nested items."""
    for number in itertools.count(1):
        yield f"{number}. **Point {number}**\n\n   {WORDS[:76]}\n\n   - one\n   - two\n\n"


def table() -> Iterator[str]:
    """One table."""
    yield "| Kind | Size | Weight |\n|:--|---|--:|\n"
    for number in itertools.count(1):
        yield ROWS.format(n=number)


def code() -> Iterator[str]:
    """One block of code."""
    yield "```python\n"
    for number in itertools.count(1):
        yield f"    if bird == {number}:  # of many\n        print('<b>', bird)\n\n"


def formulas() -> Iterator[str]:
    """One paragraph full of formulas, and some on lines of their own."""
    for number in itertools.count(1):
        yield rf"The value of $x_{{{number}}}$ is \(\frac{{{number}}}{{2}}\), as you see. "
        if number % 20 == 0:
            yield f"\n\n$$\n\\sum_{{i=1}}^{{{number}}} i = \\sqrt{{a_{number}}}\n$$\n\n"


def quote() -> Iterator[str]:
    """One quote, which cannot be shown piece by piece."""
    for number in itertools.count(1):
        yield f"> {number}: {WORDS[:76]}\n"


DOCUMENTS: tuple[Document, ...] = (
    prose, paragraph, items, numbered, table, code, formulas, quote,
)  # fmt: skip


def main(step: int) -> None:
    """Print what each kind of document costs."""
    columns = "".join(f"{length // 1000:>7} k" for length in LENGTHS)
    print(f"{'CPU microseconds for a character':<34}{columns}{'ratio':>8}")
    sent: dict[str, str] = {}
    for document in DOCUMENTS:
        costs, sizes, worst = zip(
            *(cost_of(text_of(document, length), step) for length in LENGTHS),
            strict=True,
        )
        name = document.__name__
        cells = "".join(f"{cost:>9.1f}" for cost in costs)
        print(f"{name:<34}{cells}{costs[-1] / costs[0]:>8.2f}")
        slowest = max(worst) * 1000
        cells = "".join(f"{size:>9.1f}" for size in sizes)
        sent[name] = f"{cells}{sizes[-1] / sizes[0]:>8.2f}{slowest:>16.1f}"
    print(
        f"\n{'characters sent for a character':<34}{columns}   ratio   worst feed, ms"
    )
    for name, line in sent.items():
        print(f"{name:<34}{line}")
    print(f"target: no ratio over {TARGET}")


def text_of(document: Document, length: int) -> str:
    """Return the beginning of an endless document."""
    parts: list[str] = []
    size = 0
    for part in document():
        if size >= length:
            break
        parts.append(part)
        size += len(part)
    return "".join(parts)[:length]


def cost_of(text: str, step: int) -> tuple[float, float, float]:
    """Return the microseconds and the HTML for a character, and the slowest feed."""
    from polly_htmx.markdown import MarkdownStream  # noqa: PLC0415 - after setup()

    stream = MarkdownStream("key")
    size = 0
    worst = 0.0
    started = time.process_time()
    for end in range(step, len(text) + step, step):
        before = time.process_time()
        size += stream.feed(text[:end]).size
        worst = max(worst, time.process_time() - before)
    spent = time.process_time() - started
    return spent / len(text) * 1e6, size / len(text), worst


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    main(int(sys.argv[1]) if len(sys.argv) > 1 else STEP)
