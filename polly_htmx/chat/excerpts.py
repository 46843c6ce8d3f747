"""Excerpts: the place in a text where words were found, ready to be marked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

BEFORE, AFTER = 40, 120
"""Characters that are shown around the first word."""
FOLDED = 20_000
"""How far a text is searched by its letters without accents, which takes its time."""
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]"
)
"""Scripts that put no spaces between words: no index of ours knows words there."""
EDGES = re.compile(r"\]\(\S*?\)|(?<!\w)[*`~\[]+|[*`~]+(?!\w)|\](?![\w(])")
MARKUP = re.compile(r"[*`#|~\[\]]+")
"""What of Markdown is only in the way where a few words are shown: around words, where
nothing takes its place, and between them."""
SPACE = re.compile(r"\s+")


class Part(NamedTuple):
    """A piece of text, and whether it is one of the words."""

    text: str
    is_word: bool


Parts = list[Part]


def excerpt(text: str, words: Iterable[str]) -> Parts:
    """Return what stands around the first of the words, or the text's beginning."""
    pattern = _pattern(words)
    first = pattern.search(text) or pattern.search(_folded(text[:FOLDED]))
    at = first.start() if first else 0
    start = max(0, at - BEFORE)
    piece = text[start : at + AFTER]
    if start:
        # Not from the middle of a word.
        piece = f"… {piece.partition(' ')[2] or piece}"
    if at + AFTER < len(text):
        piece = f"{piece.rpartition(' ')[0] or piece} …"
    bare = MARKUP.sub(" ", EDGES.sub("", piece))
    return _parts(SPACE.sub(" ", bare).strip(), pattern)


def marked(text: str, words: Iterable[str]) -> Parts:
    """Return the whole of a text in parts."""
    return _parts(text, _pattern(words))


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    either = "|".join(
        re.escape(word)
        if UNSPACED.search(word)
        else rf"(?<![^\W_]){re.escape(word)}[^\W_]*"
        for word in words
    )
    return re.compile(either, re.IGNORECASE)


def _parts(text: str, pattern: re.Pattern[str]) -> Parts:
    found, end = [], 0
    # Each letter has its place in both.
    for match in [*pattern.finditer(text)] or [*pattern.finditer(_folded(text))]:
        found.append(Part(text[end : match.start()], is_word=False))
        found.append(Part(text[match.start() : match.end()], is_word=True))
        end = match.end()
    found.append(Part(text[end:], is_word=False))
    return [part for part in found if part.text]


def _folded(text: str) -> str:
    """Return as many letters, without accents and capitals."""
    return "".join(unicodedata.normalize("NFD", each)[0].lower()[:1] for each in text)
