"""Tokens to HTML, with the few elements that are ours."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from html import escape

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from polly_htmx.markdown.formulas import CLASS
from polly_htmx.markdown.highlight import highlight, language_of
from polly_htmx.markdown.limits import TooCostly
from polly_htmx.markdown.parser import parser

# Emphasis nests without a limit of the parser's; browsers stop at 512.
_MAX_ELEMENT_DEPTH = 100


class Renderer(RendererHTML):
    """The parser's own renderer; each method is the rule for one kind of token."""

    def fence(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        token = tokens[idx]
        language = language_of(token.info)
        opened = f'<code class="language-{language}">' if language else "<code>"
        plain = token.meta.get("plain", False)
        code = escape(token.content) if plain else highlight(token.content, language)
        info = escape(token.info.strip())
        caption = f'<div class="polly-code__info">{info}</div>\n' if info else ""
        # A wide block scrolls, and what scrolls must be within reach of the keys.
        pre = f'<pre class="polly-code" tabindex="0">{opened}{code}</code></pre>\n'
        return caption + pre

    code_block = fence

    def table_open(self, *_: object) -> str:
        return '<div class="polly-table" tabindex="0"><table>\n'

    def table_close(self, *_: object) -> str:
        return "</table></div>\n"

    def s_open(self, *_: object) -> str:
        return "<del>"

    def s_close(self, *_: object) -> str:
        return "</del>"

    def polly_task(self, tokens: Sequence[Token], idx: int, *_: object) -> str:
        return f'<span class="polly-task__box">{escape(tokens[idx].content)}</span>'

    def polly_note(self, tokens: Sequence[Token], idx: int, *_: object) -> str:
        return f"<sup>{escape(tokens[idx].content)}</sup>"

    def polly_formula(self, tokens: Sequence[Token], idx: int, *_: object) -> str:
        # As it was written; formulas.py has what is shown instead.
        return f'<code class="{CLASS}">{escape(tokens[idx].content)}</code>'


@cache
def _renderer() -> Renderer:
    return Renderer(parser())


def to_html(tokens: Sequence[Token]) -> str:
    """Return the HTML of one block, not yet sanitised."""
    if _depth(tokens) > _MAX_ELEMENT_DEPTH:
        raise TooCostly
    return _renderer().render(tokens, parser().options, {})


def _depth(tokens: Sequence[Token]) -> int:
    """Return how deep the elements will lie in each other."""
    depth = deepest = 0
    for token in tokens:
        depth += token.nesting
        inside = _depth(token.children) if token.children else 0
        deepest = max(deepest, depth + inside)
    return deepest
