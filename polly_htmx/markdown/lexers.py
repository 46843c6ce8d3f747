"""
Lexers that read any code in time linear in its length.

Those that come with Pygments know their languages far better, but most need time
with the square of the length of hostile code, or worse: a page of the letter "a"
keeps the one for C busy for minutes. Here each pattern, once begun, takes what it
has read (the possessive "++" and "*+"), and what never ends runs to the end.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from pygments.lexer import RegexLexer
from pygments.token import (
    Comment,
    Generic,
    Keyword,
    Name,
    Number,
    String,
    Text,
    Whitespace,
)

from polly_htmx.markdown.languages import DOUBLE, LANGUAGES, SINGLE, Language

_CONSTANTS = "true false null nil none undefined NULL None True False nullptr"
_TYPES = (
    "any bool boolean byte char dict double float int list long number set short str"
    " string tuple unsigned void size_t usize isize i8 i16 i32 i64 u8 u16 u32 u64 f32"
    " f64 uint varchar integer text timestamp"
)

_MARKUP = {
    "root": [
        (r"<!--(?:[^-]|-(?!->))*+(?:-->)?|\{#[^\n}]*+\}?", Comment),
        (r"\{%[^\n%]*+(?:%\})?|\{\{[^\n}]*+(?:\}\})?", Name.Attribute),
        (r"</?[A-Za-z!?][\w:.-]*+", Name.Tag, "tag"),
        (r"&[#\w]{1,32};", Name.Constant),
        (r"[^<&{]++", Text),
        (r"[<&{]", Text),
    ],
    "tag": [
        (r"[?/]?>", Name.Tag, "#pop"),
        (rf"{DOUBLE}|{SINGLE}", String),
        (r"[\w:@.-]++", Name.Attribute),
        (r"\s++", Whitespace),
        (r".", Text),
    ],
}
_DIFF = {
    "root": [
        (r"\+[^\n]*+", Generic.Inserted),
        (r"-[^\n]*+", Generic.Deleted),
        (r"(?:@@|diff |index )[^\n]*+", Generic.Heading),
        (r"[^\n]++", Text),
        (r"\n", Whitespace),
    ]
}
_CONSOLE = {
    "root": [
        (r"^(?:[$#%>]|PS>)[ ]", Generic.Prompt, "command"),
        (r"[^\n]++", Generic.Output),
        (r"\n", Whitespace),
    ],
    "command": [(r"[^\n]++", Text), (r"\n", Whitespace, "#pop")],
}
_OTHERS = {
    "django html htmldjango jinja xml": _MARKUP,
    "diff udiff": _DIFF,
    "console shell-session": _CONSOLE,
}
_BY_NAME = {
    name: found
    for names, found in (*LANGUAGES.items(), *_OTHERS.items())
    for name in names.split()
}
NAMES = frozenset(_BY_NAME)


def lexer(name: str) -> RegexLexer:
    """Return a new lexer of the language; it changes nothing in the code."""
    # A new one for each block: threads may meet.
    return _class(name)(stripnl=False, ensurenl=False)


@cache
def _class(name: str) -> type[RegexLexer]:
    known = _BY_NAME[name]
    rules = _rules(known) if isinstance(known, Language) else known
    # The class compiles its patterns when it is first used, and keeps them.
    return type("Lexer", (RegexLexer,), {"tokens": rules, "flags": re.MULTILINE})


def _rules(language: Language) -> dict[str, Any]:
    """Return the rules of a language, in the order in which they are tried."""
    rules: list[Any] = [
        (r"\s++", Whitespace),
        (r"^(?:>>>|\.\.\.)[ ]", Generic.Prompt),
        (language.comments, Comment),
        (language.keys, Name.Attribute),
        (language.strings, String),
        (language.marked, Name.Decorator),
        (language.variables, Name.Variable),
        (r"\d[\w.]*+", Number),
        (_words(language.keywords, ignore_case=language.ignore_case), Keyword),
        (_words(_CONSTANTS), Keyword.Constant),
        (_words(_TYPES, ignore_case=language.ignore_case), Keyword.Type),
        (r"[^\W\d]\w*+(?=\()", Name.Function),
        (r"[A-Z]\w*+", Name.Class),
        (r"[^\W\d]\w*+", Name),
        (r".", Text),
    ]
    return {"root": [rule for rule in rules if rule[0]]}


def _words(text: str, *, ignore_case: bool = False) -> str:
    """Return a pattern of any one of the words."""
    # Only the longest can match, since none may go on in a letter or a digit.
    listed = "|".join(map(re.escape, text.split()))
    flag = "i" if ignore_case else ""
    return rf"(?{flag}:{listed})\b" if listed else ""
