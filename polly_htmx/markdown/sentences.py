"""A paragraph that grows by sentences."""

from __future__ import annotations

import re
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from markdown_it.common.utils import MD_TRIM_CHARS, mdTrim

from polly_htmx.markdown.formulas import is_open, text_before_marks
from polly_htmx.markdown.growth import (
    Frame,
    Growth,
    Lost,
    certain,
    joined,
    offset,
    piece,
)
from polly_htmx.markdown.parser import parser

# Where a paragraph may be cut: behind a sentence, a line that is followed by one that
# begins with a letter, or before a dollar, which tells what a dollar before it was: not
# at the beginning of a line, where a formula may begin that is one for its place alone.
# What comes next must be seen, since white space at the end of a paragraph is dropped.
_CUT = re.compile(
    r"[.!?…:;][^\s\w]{0,3}[ \t]+(?=\S)|[。\uff01\uff1f]+(?=\S)|\n[ \t]*(?=[^\W\d_])"
    r"|(?<=\S)[ \t]+(?=\$)"
)
_SPACE = re.compile(r"(?<=\S)[ \t]+(?=\S)")
# Without the end of a sentence for so long, a word will do.
_LONG = 400
# Nobody looks for a cut any more when the open piece has got so long.
_TOO_LONG = 2_000

_PLAIN = re.compile(r"[^\n`*_~\[\]<>&\\$\"\xa0]*")
_MARKUP = re.compile(r"[`*_~\[\]<&\\$]")
# Marks that pair with nothing so far, and might with what comes.
_LEFT_OVER = re.compile(r"`|\*(?!\s)|(?<![^\W_])_(?!\s)|~~(?!\s)|\](?=[(\[:])")
_UNFINISHED = re.compile(r"(?:<[^\s>]*|&[^\s;]*|\\)\Z")


class SentenceGrowth(Growth):
    """A paragraph whose last sentence is open."""

    kind = "sentence"
    _tried = 0
    """Up to where the open piece has been found to have no place to cut it."""

    @property
    def frame(self) -> Frame:
        """The paragraph."""
        before, after = SafeString("<p>"), SafeString("</p>\n")
        return Frame(before=before, element="span", after=after)

    def take(self, source: str) -> int | None:
        """Finish the sentences; None if the paragraph ends, or is something else."""
        begun = bool(self.finished)
        shown = certain(source)
        # All cuts are followed by text on the same line.
        stand_in = "x " if begun else ""
        env: dict[str, Any] = {}
        lines = _lines_of_paragraph(stand_in + shown, env)
        # What begins with a bracket may turn out to be a link definition.
        if not lines or (not begun and shown.lstrip().startswith("[")):
            return None
        end = offset(stand_in + shown, lines) - len(stand_in)
        ended = "references" in env or bool(shown[end:].strip())
        if ended and not begun:
            return None
        try:
            length = self._cut(shown[:end])
            self.open = self._open(shown[length:end])
        except Lost:
            return None
        if ended:
            self.finished.append(self.open)
            self.ended = self.as_it_stands(), end
            return None
        return length

    def _cut(self, source: str) -> int:
        """Finish what later text cannot change, and return how long that is."""
        start = 0
        while self._tried < _TOO_LONG:
            # Ever further apart, since each look costs as much as it looks at.
            end = _next_cut(source, start, start + self._tried + self._tried // 4)
            if not end:
                break
            if self._stands_alone(source[start:end], source[end]):
                self.finished.append(self._inline(source[start:end]))
                start, self._tried = end, 0
            else:
                self._tried = end - start
        return start

    def _stands_alone(self, source: str, following: str) -> bool:
        """Return whether nothing in it can pair with what comes after."""
        if "|" in source.rpartition("\n")[2] or _UNFINISHED.search(source):
            return False
        if not _MARKUP.search(source):
            return True
        md = parser()
        tokens = md.inline.parse(source, md, self.known.env(), [])
        # Other tokens part the texts, as a letter would.
        texts = [token.content if token.type == "text" else "a" for token in tokens]
        if any(map(_LEFT_OVER.search, texts)) or not _is_balanced("".join(texts)):
            return False
        dollar = following == "$" and source[-1].isspace()
        return not is_open("".join(map(text_before_marks, tokens)), dollar=dollar)

    def _inline(self, source: str) -> SafeString:
        # Only the first piece can have white space before it: in Chinese, two wide ones.
        source = source.lstrip(MD_TRIM_CHARS)
        if _PLAIN.fullmatch(source):
            # Most of what is written; parser and sanitiser would return it as it is.
            return joined([SafeString(source)])
        tokens = parser().parseInline(source, self.known.env())
        return piece(tokens, source)

    def _open(self, source: str) -> SafeString:
        """Return HTML of what is not finished; as it was written if it loses text."""
        source = mdTrim(source)
        try:
            return self._inline(source)
        except Lost:
            return format_html("{}", source)


def _lines_of_paragraph(source: str, env: dict[str, Any]) -> int:
    """Return how many lines the source's first paragraph has, if it begins so."""
    md = parser()
    tokens = md.block.parse(source, md, env, []) or []
    if not tokens or tokens[0].type != "paragraph_open":
        return 0
    first, last = tokens[0].map or (0, 0)
    return last if first == 0 else 0


def _next_cut(source: str, start: int, tried: int) -> int:
    """Return where the source may be cut next, behind what was tried; else 0."""
    found = _CUT.search(source, tried)
    if not found or found.end() - start > _LONG:
        found = _SPACE.search(source, max(tried, start + _LONG)) or found
    return found.end() if found else 0


def _is_balanced(text: str) -> bool:
    """Return whether each opening bracket has got its closing one."""
    depth = 0
    for character in text:
        if character == "[":
            depth += 1
        elif character == "]":
            depth = max(0, depth - 1)
    return not depth
