"""An estimate of what parsing a text costs, made before it is parsed."""

from __future__ import annotations

from collections.abc import Iterator

# Prices are microseconds, measured with the worst patterns that we could think
# of, on one slow core. The parser is close to linear in all of them, so counting
# is enough; a clock would let the same text render differently on a busy day.
_PRICES = {
    "\n": 20.0,
    "\n\n": 20.0,
    "- ": 25.0,
    "* ": 25.0,
    "+ ": 25.0,
    ". ": 25.0,
    ") ": 25.0,
    "> ": 20.0,
    "# ": 30.0,
    "```": 25.0,
    "~~~": 25.0,
    "[": 35.0,
    "![": 70.0,
    "*": 11.0,
    "_": 11.0,
    "~": 11.0,
    "`": 5.0,
    "&": 5.0,
    "<": 5.0,
    "\\": 5.0,
    "$": 5.0,
    "]": 5.0,
    "!": 5.0,
}
_CHARACTER = 0.3
_CELL = 12.0

# What a text may cost. Ordinary answers cost 1 to 3 for each character, those that
# are nothing but headings, lists, tables and code up to 4.5.
_FLOOR = 90_000.0
_PER_CHARACTER = 5.0
MAX_CHARS = 1_000_000

# Levels of quotes and lists (a list takes two). The parser drops what lies deeper
# than its own limit, so ours must be the lower one.
MAX_DEPTH = 30
PARSER_DEPTH = 40


class TooCostly(Exception):
    """The text would take too long to parse, or nests too deep."""


def check_cost(text: str) -> None:
    """Raise TooCostly for a text whose structure is denser than any honest one."""
    refuse(cost(text) if len(text) <= MAX_CHARS else 0, len(text))


def refuse(price: float, length: int) -> None:
    """Raise TooCostly if a text of this length must not cost so much."""
    if length > MAX_CHARS or price > _FLOOR + _PER_CHARACTER * length:
        raise TooCostly


def cost(text: str) -> float:
    """Return about how many microseconds the parser needs for the text."""
    # This runs for each piece of an answer, most of which have few marks.
    letters = set(text)
    counted = sum(
        text.count(mark) * price
        for mark, price in _PRICES.items()
        if mark[0] in letters
    )
    cells = sum(_cells(text)) if "|" in letters else 0
    return counted + _CHARACTER * len(text) + _CELL * cells


def _cells(text: str) -> Iterator[int]:
    """
    Yield for each run of lines the most cells that tables in it can have.

    A short row is filled up to the width of the table's head, so the cells of a
    table are its columns times its rows, however short the source is.
    """
    columns = rows = 0
    for line in text.split("\n"):
        if not line.strip():
            yield columns * rows
            columns = rows = 0
            continue
        rows += 1
        if _may_delimit(line):
            columns = max(columns, line.strip(" |").count("|") + 1)
    yield columns * rows


def _may_delimit(line: str) -> bool:
    """Return whether the line may stand between the head and body of a table."""
    return "|" in line and "-" in line and not line.strip(" \t|:->+*.)0123456789")
