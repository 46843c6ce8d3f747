"""Code to HTML, with the colours as a small closed set of classes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html import escape
from itertools import groupby
from operator import itemgetter

from pygments.token import Token, _TokenType

from polly_htmx.markdown.lexers import NAMES, lexer

PREFIX = "polly-hl-"

# More looks busy, and costs the reader bytes.
_KINDS = {
    Token.Comment: "comment",
    Token.Generic.Deleted: "deleted",
    Token.Generic.Heading: "heading",
    Token.Generic.Inserted: "inserted",
    Token.Generic.Output: "output",
    Token.Generic.Prompt: "prompt",
    Token.Generic.Subheading: "heading",
    Token.Keyword: "keyword",
    Token.Keyword.Constant: "constant",
    Token.Keyword.Type: "type",
    Token.Literal: "string",
    Token.Literal.Number: "number",
    Token.Literal.String: "string",
    Token.Name.Attribute: "attribute",
    Token.Name.Builtin: "builtin",
    Token.Name.Class: "type",
    Token.Name.Constant: "constant",
    Token.Name.Decorator: "attribute",
    Token.Name.Exception: "type",
    Token.Name.Function: "function",
    Token.Name.Tag: "keyword",
    Token.Name.Variable: "variable",
    Token.Operator.Word: "keyword",
}
CLASSES = frozenset(PREFIX + kind for kind in _KINDS.values())

# Of one block, and of all blocks of a text: what lies beyond is shown plain.
MAX_CHARS = 20_000
MAX_CHARS_OF_TEXT = 40_000

_LANGUAGE = re.compile(r"[A-Za-z0-9_+#.-]{1,30}")


def language_of(info: str) -> str:
    """Return the language that a fence names, if it can be part of a class."""
    word = next(iter(info.split()), "")
    return word if _LANGUAGE.fullmatch(word) else ""


def highlight(code: str, language: str) -> str:
    """Return the code as HTML; plain where the language is unknown."""
    plain = escape(code)
    if language.lower() not in NAMES or len(code) > MAX_CHARS:
        return plain
    tokens = list(lexer(language.lower()).get_tokens(code))
    # Copying must give what was written, so a lexer that tidies up is not used.
    if "".join(text for _, text in tokens) != code:
        return plain
    return "".join(_spans(tokens))


def _spans(tokens: list[tuple[_TokenType, str]]) -> Iterator[str]:
    """Yield the HTML of neighbours of one kind together."""
    kinds = ((_kind(token), text) for token, text in tokens)
    for kind, group in groupby(kinds, key=itemgetter(0)):
        text = escape("".join(text for _, text in group))
        yield f'<span class="{PREFIX}{kind}">{text}</span>' if kind else text


@cache
def _kind(token: _TokenType | None) -> str:
    """Return the kind of a token: its own, or that of the nearest above it."""
    while token is not None:
        if kind := _KINDS.get(token):
            return kind
        token = token.parent
    return ""
