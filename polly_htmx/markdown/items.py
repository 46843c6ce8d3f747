"""A list that grows by items."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.safestring import SafeString
from markdown_it.token import Token

from polly_htmx.markdown.growth import (
    Frame,
    Growth,
    Lost,
    certain,
    cut,
    offset,
    piece,
)
from polly_htmx.markdown.known import Known
from polly_htmx.markdown.parser import Block, parse
from polly_htmx.markdown.renderer import to_html
from polly_htmx.markdown.rendering import plain
from polly_htmx.markdown.sanitiser import sanitise

_ITEM = re.compile(r'<li(?: class="[\w -]*")?>')


class ItemGrowth(Growth):
    """A list whose last item is open."""

    kind = "item"

    def __init__(self, block: Block, known: Known) -> None:
        """Take over a list that is the first block of the source."""
        super().__init__(block, known)
        self._loose = False
        # Stands for the finished items when the rest is parsed: a list begins, and
        # reads its first line, otherwise than it goes on. Nothing gets inside it,
        # because its text stands further right than any item may.
        number = "1" if block.tokens[0].type == "ordered_list_open" else ""
        self._stand_in = f"{number}{block.tokens[0].markup}    x\n"

    @property
    def frame(self) -> Frame:
        """The list."""
        first, item, *_, last = self.block.tokens
        html = sanitise(to_html([first, item, last]))
        start, end = html.index("<li"), html.rindex("</")
        return Frame(
            before=cut(html, 0, start), element="li", after=cut(html, end, len(html))
        )

    def take(self, source: str) -> int | None:
        """Finish the items up to the last; None if the list ends or turns loose."""
        text = self._stand_in + certain(source)
        env = self.known.env()
        blocks = parse(text, env)
        stand_in, *items = _items(blocks[0].tokens)
        # What was the mark of an item may have become the beginning of a word.
        if not items or _lines(items[0])[0] != 1:
            return None
        if not self._agrees(loose=not stand_in[1].hidden):
            return None
        if self._loose:
            _loosen(blocks[0].tokens)
        ended = len(blocks) > 1
        try:
            self._finish(items if ended else items[:-1], text, blocks[0], env)
        except Lost:
            return None
        if ended:
            length = self._length(text, blocks[1].lines[0])
            self.ended = self.as_it_stands(), length
            return None
        self.open = _open(items[-1], text, blocks[0])
        return self._length(text, _lines(items[-1])[0])

    def _agrees(self, *, loose: bool) -> bool:
        """Return whether the finished items look as all items must now."""
        if loose and not self._loose and self.finished:
            return False
        self._loose = self._loose or loose
        return True

    def _finish(
        self,
        items: list[tuple[Token, ...]],
        text: str,
        block: Block,
        env: dict[str, Any],
    ) -> None:
        self.finished += [_piece(item, text, block) for item in items]
        if items:
            tokens = [token for item in items for token in item]
            self.known = self.known.after(env, _lines(items[-1])[1], tokens)

    def _length(self, text: str, line: int) -> int:
        return offset(text, line) - len(self._stand_in)


def _items(tokens: Sequence[Token]) -> Iterator[tuple[Token, ...]]:
    """Yield the tokens of each item of a list, without those of items within."""
    start = 0
    level = tokens[0].level + 1
    for number, token in enumerate(tokens):
        if token.level != level:
            continue
        if token.type == "list_item_open":
            start = number
        elif token.type == "list_item_close":
            yield tuple(tokens[start : number + 1])


def _loosen(tokens: Sequence[Token]) -> None:
    """Let the items have paragraphs, as those have that are finished."""
    level = tokens[0].level + 2
    for token in tokens:
        if token.level == level and token.type.startswith("paragraph_"):
            token.hidden = False


def _lines(item: tuple[Token, ...]) -> tuple[int, int]:
    first, last = item[0].map or (0, 0)
    return first, last


def _source(item: tuple[Token, ...], text: str) -> str:
    first, last = _lines(item)
    return "\n".join(text.split("\n")[first:last])


def _piece(item: tuple[Token, ...], text: str, block: Block) -> SafeString:
    return piece(item, _source(item, text), block.definitions)


def _open(item: tuple[Token, ...], text: str, block: Block) -> SafeString:
    """Return what is in the open item; as it was written where it loses text."""
    try:
        html = _piece(item, text, block)
    except Lost:
        return plain(_source(item, text))
    start = _ITEM.match(html)
    return cut(html, start.end() if start else 0, html.rindex("</li>"))
