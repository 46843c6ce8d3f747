"""Task lists: boxes as characters, since a form field would be a live control."""

from __future__ import annotations

import re

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

_TASK = re.compile(r"\[([ xX])\][ \t]+")
_BOXES = {" ": "\N{BALLOT BOX}", "x": "\N{BALLOT BOX WITH CHECK}"}


def mark_tasks(state: StateCore) -> None:
    """Give list items that begin with [ ] or [x] a box; a rule for the parser."""
    for item, paragraph, inline in zip(
        state.tokens, state.tokens[1:], state.tokens[2:], strict=False
    ):
        if (item.type, paragraph.type) == ("list_item_open", "paragraph_open"):
            _mark(item, inline)


def _mark(item: Token, inline: Token) -> None:
    """Replace the brackets at the start of the item, if they are there."""
    if not inline.children:
        return
    first, *others = inline.children
    found = _TASK.match(first.content) if first.type == "text" else None
    if not found or not (others or first.content[found.end() :]):
        return
    first.content = " " + first.content[found.end() :]
    first.meta["hidden"] = [found[1]]
    item.attrJoin("class", "polly-task")
    box = Token("polly_task", "span", 0, content=_BOXES[found[1].lower()])
    inline.children = [box, first, *others]
