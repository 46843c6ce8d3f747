"""How much of a text's code is coloured: the first so many characters."""

from __future__ import annotations

from collections.abc import Iterable

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from polly_htmx.markdown.highlight import MAX_CHARS, MAX_CHARS_OF_TEXT


def spend_on_code(state: StateCore) -> None:
    """
    Mark the code blocks that are shown without colours; a rule for the parser.

    Decided for the whole text and before anything is rendered, so that each block
    can be rendered by itself. What the text before has left may stand in the
    parser's environment.
    """
    left = state.env.get("code_left", MAX_CHARS_OF_TEXT)
    for token in state.tokens:
        if token.type != "fence":
            continue
        size = len(token.content)
        token.meta["plain"] = size > min(left, MAX_CHARS)
        left -= 0 if token.meta["plain"] else size


def spent_on(tokens: Iterable[Token]) -> int:
    """Return how many characters of code the tokens colour."""
    return sum(
        len(token.content)
        for token in tokens
        if token.type == "fence" and not token.meta["plain"]
    )
