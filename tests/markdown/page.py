"""A page that shows a Markdown text while it grows, as strings."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from random import Random

from polly_htmx.markdown import Change, MarkdownStream
from polly_htmx.markdown.parts import continued

KEY = "1f0c"
ID = f' id="polly-open-{KEY}"'

_TAG = re.compile(r'<(/?)([a-z0-9]+)(?:[^">]|"[^"]*")*>')


@dataclass
class Page:
    """The blocks that are closed, and the tail behind them."""

    closed: str = ""
    tail: str = ""
    changes: list[Change] = field(default_factory=list)

    @property
    def html(self) -> str:
        """All that the page shows."""
        return self.closed + self.tail

    def apply(self, change: Change) -> None:
        """Do what the change says."""
        self.changes.append(change)
        self.closed = continued(self.closed, change.closed)
        if change.tail is not None:
            assert not change.grown
            assert change.open is None
            self.tail = change.tail
        elif change.kind:
            self._grow(change)
        else:
            assert not change.grown
            assert change.open is None

    def _grow(self, change: Change) -> None:
        """Put what has grown before the open piece, and change what that holds."""
        start, inside, end = open_piece(self.tail)
        rows = change.kind == "row"
        grown = f"<tbody>{change.grown}</tbody>" if rows else str(change.grown)
        held = self.tail[inside:end] if change.open is None else change.open
        around = self.tail[start:inside], self.tail[end:]
        self.tail = self.tail[:start] + grown + around[0] + held + around[1]


def open_piece(tail: str) -> tuple[int, int, int]:
    """Return where the open piece begins, where its content does and ends."""
    opened = re.search(f"<[a-z]+{ID}>", tail)
    assert opened, tail
    depth = 0
    for tag in _TAG.finditer(tail, opened.start()):
        if tag[2] in {"br", "hr", "img"}:
            continue
        depth += -1 if tag[1] else 1
        if not depth:
            return opened.start(), opened.end(), tag.start()
    raise AssertionError(tail)


def rows_joined(html: str) -> str:
    """Return the HTML with neighbouring bodies of a table as one."""
    return html.replace("</tbody><tbody>", "").replace("<tbody>\n</tbody>", "")


def watched(text: str, ends: Iterable[int]) -> Iterator[tuple[MarkdownStream, Page]]:
    """
    Yield the stream and its page after each step of the text's growth.

    Fails where somebody who joins at that moment would see another page.
    """
    stream, page = MarkdownStream(KEY), Page()
    for end in ends:
        page.apply(stream.feed(text[:end]))
        closed, tail = stream.whole()
        assert closed == page.closed
        assert rows_joined(tail) == rows_joined(page.tail)
        yield stream, page


def shown(text: str, ends: Iterable[int]) -> tuple[MarkdownStream, Page]:
    """Return the stream and its page when the text has come to its end."""
    start = MarkdownStream(KEY), Page()
    return deque(chain([start], watched(text, ends)), maxlen=1)[0]


def finished(text: str, ends: Iterable[int]) -> str | None:
    """Return the page after the last frame; None if it must be shown anew."""
    stream, page = shown(text, ends)
    change = stream.finish(text)
    if change is None:
        return None
    page.apply(change)
    return page.html


def by_character(text: str) -> range:
    """Return the ends of pieces of one character."""
    return range(1, len(text) + 1)


def at_random(text: str, seed: int, most: int = 12) -> Iterator[int]:
    """Yield the ends of pieces of up to so many characters."""
    random = Random(seed)
    end = 0
    while end < len(text):
        end = min(len(text), end + random.randint(1, most))
        yield end
