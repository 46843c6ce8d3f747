"""Environments: matrices, cases, and equations whose parts stand below each other."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

from polly_htmx.markdown.mathml.brackets import Written, fence
from polly_htmx.markdown.mathml.elements import element
from polly_htmx.markdown.mathml.tokens import Unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polly_htmx.markdown.mathml.reader import Reader

_MATRICES = {
    "matrix": ("", ""), "smallmatrix": ("", ""), "pmatrix": ("(", ")"),
    "bmatrix": ("[", "]"), "Bmatrix": ("{", "}"), "vmatrix": ("|", "|"),
    "Vmatrix": ("‖", "‖"),
}  # fmt: skip
_ALIGNED = frozenset({"align", "align*", "aligned", "eqnarray", "eqnarray*", "split"})
_CENTRED = frozenset({"equation", "equation*", "gather", "gather*", "gathered"})
_SIDES = {"l": "left", "c": "center", "r": "right"}


def environment(reader: Reader) -> Written:
    """Return what stands between \\begin and \\end."""
    name = reader.text()
    columns = _columns(reader) if name == "array" else []
    rows = reader.rows("\\end")
    if reader.text() != name:
        raise Unreadable
    if name == "array":
        return table(rows, columns or ["center"]), False
    if name in _ALIGNED:
        return aligned(rows), False
    if name in _CENTRED:
        return table(rows, ["center"], displaystyle="true"), False
    if name in {"cases", "rcases"}:
        opening, closing = ("{", "") if name == "cases" else ("", "}")
        return _fenced(opening, table(rows, ["left"]), closing), False
    if name in _MATRICES:
        opening, closing = _MATRICES[name]
        return _fenced(opening, table(rows, ["center"]), closing), False
    raise Unreadable


def aligned(rows: list[list[str]]) -> str:
    """Return rows that meet at their equals signs."""
    return table(rows, ["right", "left"], displaystyle="true")


def table(rows: list[list[str]], sides: Sequence[str], **attributes: str) -> str:
    """Return rows of cells; the sides they keep to are used in turn."""
    return element("mtable", *(_row(row, sides) for row in rows), **attributes)


def _row(cells: list[str], sides: Sequence[str]) -> str:
    pairs = zip(cells, cycle(sides), strict=False)
    return element("mtr", *(_cell(cell, side) for cell, side in pairs))


def _cell(content: str, side: str) -> str:
    # In the middle it stands by itself.
    attributes = {} if side == "center" else {"columnalign": side}
    return element("mtd", content, **attributes)


def _fenced(opening: str, content: str, closing: str) -> str:
    return element("mrow", fence(opening), content, fence(closing, "postfix"))


def _columns(reader: Reader) -> list[str]:
    """Return to which sides the columns of an array keep; lines are left out."""
    return [_SIDES[letter] for letter in reader.text() if letter in _SIDES]
