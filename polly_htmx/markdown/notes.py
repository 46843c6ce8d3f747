"""Footnotes: their marks are raised where they stand, and lead nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

# A note is not taken to the end of the text: what has been shown of an answer would
# have to change with each one, and a link to it would need an id, which no content has.
_MARK = re.compile(r"\[\^((?:[^\W_]|-){1,20})\]")
_LINK = re.compile(r"\^((?:[^\W_]|-){1,20})")
"""The text of a mark whose note is nothing but an address: for Markdown a link."""


def raise_marks(state: StateCore) -> None:
    """Make a raised mark of each [^1]; a rule for the parser."""
    for token in state.tokens:
        if token.children and any("^" in each.content for each in token.children):
            token.children = [*_raised(token.children)]


def _raised(tokens: Sequence[Token]) -> Iterator[Token]:
    before = ""
    for token in tokens:
        found = _LINK.fullmatch(token.content) if before == "link_open" else None
        before = token.type
        if token.type != "text":
            yield token
        elif found:
            yield _mark(found[1])
        else:
            yield from _parts(token)


def _parts(token: Token) -> Iterator[Token]:
    """Yield a text in pieces: every second one is a mark."""
    for number, part in enumerate(_MARK.split(token.content)):
        if number % 2:
            yield _mark(part)
        elif part:
            yield token.copy(content=part)


def _mark(label: str) -> Token:
    return Token("polly_note", "sup", 0, content=label)
