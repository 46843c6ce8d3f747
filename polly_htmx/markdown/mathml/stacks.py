"""What stands above or below something: accents, braces, words on an arrow."""
# ruff: noqa: RUF001 - these are the signs that are meant

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from polly_htmx.markdown.mathml.brackets import Written
from polly_htmx.markdown.mathml.elements import element, leaf, space

if TYPE_CHECKING:
    from polly_htmx.markdown.mathml.reader import Reader

_ACCENTS = {
    "acute": "´", "bar": "¯", "breve": "˘", "check": "ˇ", "ddot": "¨", "dot": "˙",
    "grave": "`", "hat": "^", "mathring": "˚", "tilde": "~", "vec": "→",
}  # fmt: skip
_WIDE = {
    "overbrace": "⏞", "overleftarrow": "←", "overleftrightarrow": "↔",
    "overline": "‾", "overrightarrow": "→", "widehat": "^", "widetilde": "~",
}  # fmt: skip
_BELOW = {"underbrace": "⏟", "underline": "_"}
_ARROWS = {"xleftarrow": "←", "xrightarrow": "→", "xRightarrow": "⇒"}


def _accent(mark: str, stretchy: str, reader: Reader) -> Written:
    over = leaf("mo", mark, stretchy=stretchy)
    html = element("mover", reader.argument(), over, accent="true")
    return html, mark == _WIDE["overbrace"]


def _under(mark: str, reader: Reader) -> Written:
    under = leaf("mo", mark, stretchy="true")
    html = element("munder", reader.argument(), under, accentunder="true")
    return html, mark == _BELOW["underbrace"]


def _overset(reader: Reader) -> Written:
    above, base = reader.argument(), reader.argument()
    return element("mover", base, above), False


def _underset(reader: Reader) -> Written:
    below, base = reader.argument(), reader.argument()
    return element("munder", base, below), False


def _arrow(mark: str, reader: Reader) -> Written:
    below = reader.optional()
    arrow = leaf("mo", mark, stretchy="true")
    above = element("mrow", space("0.5em"), reader.argument(), space("0.5em"))
    if below is None:
        return element("mover", arrow, above), False
    return element("munderover", arrow, below, above), False


STACKS: dict[str, Callable[[Reader], Written]] = {
    **{name: partial(_accent, mark, "false") for name, mark in _ACCENTS.items()},
    **{name: partial(_accent, mark, "true") for name, mark in _WIDE.items()},
    **{name: partial(_under, mark) for name, mark in _BELOW.items()},
    **{name: partial(_arrow, mark) for name, mark in _ARROWS.items()},
    "overset": _overset,
    "stackrel": _overset,
    "underset": _underset,
}
