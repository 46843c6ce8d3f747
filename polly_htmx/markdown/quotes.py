"""Quotes: how far the parser may look for the end of each of them."""

from __future__ import annotations

from collections.abc import Callable

from markdown_it.rules_block import StateBlock

from polly_htmx.markdown.limits import TooCostly

Tokenize = Callable[[StateBlock, int, int], None]

_VAIN = "lines_read_in_vain"
# For each line of the text, and for any text. Honest ones stay far below: there a line
# that does not belong to the quote above it is mostly a blank one, which ends it.
_PER_LINE = 10
_FLOOR = 5_000


def bounded(tokenize: Tokenize) -> Tokenize:
    """
    Return the parser's reading of blocks, which gives up where quotes cost too much.

    A quote may go on in lines without its mark, so the parser gathers all that could be
    such lines before it reads them. Where they turn out to be none, those behind them
    are gathered again for the next quote: with the square of the length, if every quote
    ends in this way. What has been written cannot tell that by counting marks.
    """

    def read(state: StateBlock, start: int, end: int) -> None:
        tokenize(state, start, end)
        if state.parentType != "blockquote":
            return
        vain = state.env.get(_VAIN, 0) + end - state.line
        state.env[_VAIN] = vain
        if vain > _FLOOR + _PER_LINE * len(state.bMarks):
            raise TooCostly

    return read
