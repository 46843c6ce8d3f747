"""Formulas: where they stand in a text, and how they get into its HTML."""

from __future__ import annotations

import re
from html import unescape

from django.utils.safestring import SafeString, mark_safe
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from polly_htmx.markdown.mathml import Unreadable, to_mathml

CLASS = "polly-formula"

# What is longer is no formula: until a mark is closed, nobody can tell what the text
# after it will be, and it can't be shown for good.
MAX_CHARS = 2_000
# A lone dollar is more often a price.
MAX_CHARS_IN_LINE = 400

# No mark stands in a formula: so each is looked at once, and code comes first.
_INSIDE = r"(?:[^\\$`]|\\[^()\[\]])"
_PATTERNS = (
    rf"\\\({_INSIDE}{{1,{MAX_CHARS}}}+\\\)",
    rf"\\\[{_INSIDE}{{1,{MAX_CHARS}}}+\\\]",
    rf"(?<!\$)\$\${_INSIDE}{{1,{MAX_CHARS}}}+\$\$(?!\$)",
    # Not money, nor names in a shell: "$5 and $10", "US$5", "$HOME:$PATH".
    rf"(?<![$0-9A-Za-z])\$(?!\s){_INSIDE}{{1,{MAX_CHARS_IN_LINE}}}+(?<!\s)\$(?![$0-9A-Z_{{])",
)
_FORMULA = re.compile("|".join(_PATTERNS))
_PLACE = re.compile(rf'<code class="{CLASS}">([^<]*)</code>')

_OPENING = {"\\(", "\\["}
# Any of these may be closed by what comes after. OPENED stands for a bracket.
OPENED = "\0"
_OPEN = re.compile(
    rf"(?:\0|\$\$)[^\0$]{{0,{MAX_CHARS}}}\Z|\$(?!\s)[^\0$]{{0,{MAX_CHARS_IN_LINE}}}\Z"
)
_LINE = re.compile(rf"{_INSIDE}*+\\?")


def find(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the parser calls its rules by position
    """Make a token of a formula; a rule for the parser."""
    found = _FORMULA.match(state.src, state.pos, state.posMax)
    if not found or not _latex(found[0]).strip():
        return False
    state.pos = found.end()
    if not silent:
        state.push("polly_formula", "code", 0).content = found[0]
    return True


def text_before_marks(token: Token) -> str:
    """Return a token as is_open() wants to see it: what may be part of a formula."""
    if token.type == "text_special" and token.markup in _OPENING:
        return OPENED
    if token.type == "image":
        return token.content.replace("\\(", OPENED).replace("\\[", OPENED)
    return token.content if token.type == "text" else "a"


def is_open(text: str, *, dollar: bool = False) -> bool:
    """
    Return whether a formula begins in a text that what comes after may close.

    If that is a ``dollar`` behind white space, it ends what two dollars have begun, and
    makes text of all others.
    """
    found = _OPEN.search(text)
    return found is not None and (not dollar or found[0].startswith("$$"))


def may_hold(line: str) -> bool:
    """Return whether a formula may go on behind a line, if it began before that."""
    return _LINE.fullmatch(line) is not None


def with_formulas(html: SafeString) -> SafeString:
    """
    Return sanitised HTML with MathML for each formula that the renderer has marked.

    A mark that came from elsewhere would do no harm: what stands in it is taken as
    LaTeX, and what is made of that is our own, escaped.
    """
    if CLASS not in html:
        return html
    return mark_safe(_PLACE.sub(_shown, html))  # noqa: S308 - see above


def _shown(place: re.Match[str]) -> str:
    """Return the MathML of a formula; as it was written where that can't be had."""
    source = unescape(place[1])
    try:
        return to_mathml(_latex(source), display=source[:2] in {"$$", "\\["})
    except Unreadable:
        return f"<code>{place[1]}</code>"


def _latex(source: str) -> str:
    """Return a formula without the marks around it."""
    size = 1 if source[0] == "$" != source[1] else 2
    return source[size:-size]
