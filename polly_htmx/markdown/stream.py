"""Markdown while it is being written: what changes with each piece of it."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.safestring import SafeString

from polly_htmx.markdown.change import NOTHING, Change
from polly_htmx.markdown.ends import open_from
from polly_htmx.markdown.growth import (
    Growth,
    certain,
    is_huge,
    joined,
    offset,
    ripe,
    whole_lines,
)
from polly_htmx.markdown.items import ItemGrowth
from polly_htmx.markdown.known import Known
from polly_htmx.markdown.limits import TooCostly, cost, refuse
from polly_htmx.markdown.lines import (
    FenceGrowth,
    IndentedGrowth,
    LineGrowth,
    PlainGrowth,
)
from polly_htmx.markdown.parser import Block, parse
from polly_htmx.markdown.parts import PART, Parts, piece_of
from polly_htmx.markdown.rendering import render, render_block, report
from polly_htmx.markdown.rows import RowGrowth
from polly_htmx.markdown.sentences import SentenceGrowth
from polly_htmx.markdown.text import clean_text, legible

# A block that turns out to be something else may grow anew, but not again and again.
_MOST_RESTARTS = 2

_GROWTHS: dict[str, type[Growth]] = {
    "bullet_list_open": ItemGrowth,
    "code_block": IndentedGrowth,
    "fence": FenceGrowth,
    "ordered_list_open": ItemGrowth,
    "paragraph_open": SentenceGrowth,
    "table_open": RowGrowth,
}


class MarkdownStream:
    """
    A Markdown text that grows, and the page that shows it.

    The page holds the closed blocks, and behind them the tail: the open block. What
    a feed changes is told by a Change; its ``closed`` comes first, then either its
    ``tail``, or ``grown`` and ``open``.
    """

    def __init__(self, key: str) -> None:
        """Begin with an empty text; the key is for the id of the open piece."""
        self._key = key
        self._read = 0
        self._length = 0
        self._closed: list[SafeString] = []
        self._parts = Parts()
        self._price = 0.0
        self._known = Known()
        # Of the source that is not closed: what the growing block has finished,
        # and what is left to do.
        self._finished: list[str] = []
        self._rest = ""
        self._growth: Growth | None = None
        self._restarts = 0
        self._tried = 0
        self._again = False
        self._tail = NOTHING

    def feed(self, text: str) -> Change:
        """Return what changes now that the text has grown to this. Never raises."""
        before = self._growth, self._tail, len(self._closed)
        inside = self._parts.is_open
        pieces = len(self._growth.finished) if self._growth else 0
        opened = self._growth.open if self._growth else None
        self._rest += self._normalised(text)
        try:
            self._advance()
        except TooCostly:
            self._show_plain()
        except Exception as error:  # noqa: BLE001 - a text must be shown whatever is in it
            report(error)
            self._show_plain()
        growth, tail, closed = before
        blocks = self._piece(closed, inside=inside)
        if self._growth is None:
            # A new part takes the tail along, so it must be told with it.
            unchanged = growth is None and tail == self._tail and PART not in blocks
            return Change(closed=blocks, tail=None if unchanged else self._tail)
        if self._growth is not growth:
            return Change(closed=blocks, tail=self._growth.tail(self._key))
        grown = joined(growth.finished[pieces:])
        now = None if growth.open == opened else growth.open
        kind = growth.kind if grown or now is not None else ""
        return Change(closed=blocks, kind=kind, grown=grown, open=now)

    def whole(self) -> tuple[SafeString, SafeString]:
        """Return the closed blocks and the tail, as the last feed has left them."""
        tail = self._growth.tail(self._key) if self._growth else self._tail
        return self._piece(0, inside=False), tail

    def finish(self, text: str) -> Change | None:
        """
        Return what is left to show when the answer has ended.

        With it the page shows exactly render(text). Returns None where the page must
        show that instead of all that it has: a link definition came late, say. Changes
        nothing, and may be called in a thread.
        """
        html = render(text)
        closed = joined(self._closed)
        if not html.startswith(closed):
            return None
        # What is closed ends between two blocks, so the rest begins there.
        rest = piece_of(html[len(closed) :], inside=self._parts.is_open)
        return Change(closed=rest, tail=NOTHING)

    def _piece(self, start: int, *, inside: bool) -> SafeString:
        """Return what is closed from a block on, as it is told."""
        if start == len(self._closed):
            return NOTHING
        blocks = joined(self._closed[start:])
        return piece_of(blocks + self._parts.end, inside=inside)

    def _normalised(self, text: str) -> str:
        """Return what is new in the text, as it may be shown."""
        # A carriage return is half a line end, if a line feed comes next.
        end = len(text) - text.endswith("\r")
        new = legible(clean_text(text[self._read : end]))
        self._read = end
        self._length += len(new)
        return new

    def _advance(self) -> None:
        """Do what there is to do, if the text has grown by enough for that."""
        if ripe(self._rest) == self._tried:
            return
        while not (self._growth and self._grow(self._growth)):
            if not self._close():
                break
        self._tried = ripe(self._rest)

    def _grow(self, growth: Growth) -> bool:
        """Let the open block grow; return whether it is still open."""
        while True:
            due = self._due(growth)
            huge = is_huge(len(due), growth.cost(due))
            length = growth.take(whole_lines(due) if huge else due)
            if length is None:
                self._end(growth)
                return False
            growth.shown = True
            self._pass(growth, length)
            if not length and huge:
                growth.ended = growth.as_it_stands(opened=True), len(whole_lines(due))
                self._end(growth)
                return False
            if not length or len(due) - length == len(self._rest):
                return True

    def _due(self, growth: Growth | None) -> str:
        """Return what is to be parsed now. Raises TooCostly."""
        # What has been shown already must not fall behind.
        due = self._rest if self._again else self._rest[: ripe(self._rest)]
        if isinstance(growth, PlainGrowth):
            return due
        price = growth.price + growth.cost(due) if growth else cost(due)
        refuse(self._price + price, self._length)
        return due

    def _pass(self, growth: Growth, length: int) -> None:
        """Note how much of the source the growing block has finished."""
        growth.price += growth.cost(self._rest[:length])
        self._finished.append(self._rest[:length])
        self._rest = self._rest[length:]

    def _end(self, growth: Growth) -> None:
        """Close the block that has grown, or have it parsed anew."""
        self._growth = None
        length = sum(map(len, self._finished))
        # Code is only looked at line by line, so that it can be parsed anew.
        is_code = isinstance(growth, LineGrowth)
        if not growth.ended and not is_code and is_huge(length, growth.price):
            growth.ended = growth.as_it_stands(), 0
        if growth.ended:
            html, length = growth.ended
            self._price += growth.price + growth.cost(self._rest[:length])
            self._closed.append(self._parts.add(html))
            self._known = growth.known
            self._forget(length)
        else:
            self._restarts += 1 if growth.shown else _MOST_RESTARTS + 1
            self._rest = "".join([*self._finished, self._rest])
            self._finished = []
            self._again = True

    def _close(self) -> bool:
        """Close the blocks that have ended; return whether to go on with the rest."""
        shown = certain(self._due(None))
        self._again = False
        env = self._known.env()
        blocks = [block for block in parse(shown, env) if block.tokens]
        count, line = open_from(blocks, env, shown)
        if not line:
            growing = self._growth_of(blocks, shown)
            if growing:
                self._growth = growing(blocks[0], self._known)
                return True
            if not is_huge(len(shown), cost(shown)):
                self._tail = joined(render_block(block) for block in blocks)
                return False
            count, line = len(blocks), shown.count("\n") + 1
        html = [render_block(block) for block in blocks[:count]]
        tokens = [token for block in blocks[:count] for token in block.tokens]
        length = min(offset(shown, line), len(shown))
        self._known = self._known.after(env, line, tokens)
        self._closed += [self._parts.add(block) for block in html]
        self._price += cost(shown[:length])
        self._forget(length)
        return True

    def _forget(self, length: int) -> None:
        """Begin anew behind what has been closed."""
        self._rest = self._rest[length:]
        self._finished = []
        self._restarts = 0
        self._tail = NOTHING

    def _growth_of(self, blocks: Sequence[Block], source: str) -> type[Growth] | None:
        """Return how the open blocks grow, if they are one that grows by pieces."""
        # Above the only block there may be a definition that is still open.
        if len(blocks) != 1 or blocks[0].lines[0] or self._restarts > _MOST_RESTARTS:
            return None
        kind = blocks[0].tokens[0].type
        # What the first line of a fence says stands before the code.
        if kind == "fence" and "\n" not in source:
            return None
        return _GROWTHS.get(kind)

    def _show_plain(self) -> None:
        """Show what is not closed as it was written, from now on."""
        if not isinstance(self._growth, PlainGrowth):
            self._rest = "".join([*self._finished, self._rest])
            self._finished = []
            self._growth = PlainGrowth(Block(tokens=(), source=""), self._known)
        self._tried = -1
        self._pass(self._growth, self._growth.take(self._rest))
