"""Brackets: as high as what they hold, or of a size that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polly_htmx.markdown.mathml import symbols
from polly_htmx.markdown.mathml.elements import element, leaf
from polly_htmx.markdown.mathml.tokens import Unreadable

if TYPE_CHECKING:
    from polly_htmx.markdown.mathml.reader import Reader

Written = tuple[str, bool]
"""An element, and whether its scripts stand above and below it."""

SIZES = {"big": "1.2em", "Big": "1.8em", "bigg": "2.4em", "Bigg": "3em"}
_MARKS = frozenset("()[]{}|‖⟨⟩⌊⌋⌈⌉/\\↑↓")
_CLOSING = frozenset(")]}⟩⌋⌉")


def delimiter(reader: Reader) -> str:
    """Return the next word as a bracket; nothing for the point that stands for none."""
    word = reader.next()
    if word == ".":
        return ""
    found = symbols.symbol(word) if word else None
    found = {"<": "⟨", ">": "⟩"}.get(found or "", found)
    if not found or found not in _MARKS:
        raise Unreadable
    return found


def fence(mark: str, form: str = "prefix") -> str:
    """Return a bracket that is as high as what it holds; nothing if there is none."""
    return leaf("mo", mark, form=form, stretchy="true") if mark else element("mrow")


def left(reader: Reader) -> Written:
    opening = delimiter(reader)
    content = reader.row("\\right")
    reader.expect("\\right")
    closing = fence(delimiter(reader), "postfix")
    return element("mrow", fence(opening), *content, closing), False


def middle(reader: Reader) -> Written:
    return leaf("mo", delimiter(reader), stretchy="true", form="infix"), False


def sized(size: str, form: str, reader: Reader) -> Written:
    mark = delimiter(reader)
    form = form or ("postfix" if mark in _CLOSING else "prefix")
    sizes = {"minsize": size, "maxsize": size}
    return leaf("mo", mark, form=form, stretchy="true", **sizes), False
