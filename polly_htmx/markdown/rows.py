"""A table that grows by rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.utils.html import format_html
from django.utils.safestring import SafeString
from markdown_it.token import Token

from polly_htmx.markdown.formulas import with_formulas
from polly_htmx.markdown.growth import (
    LIGHT,
    Frame,
    Growth,
    Lost,
    certain,
    cut,
    joined,
    offset,
    piece,
)
from polly_htmx.markdown.limits import cost
from polly_htmx.markdown.parser import parse
from polly_htmx.markdown.renderer import to_html
from polly_htmx.markdown.sanitiser import sanitise

_HEAD_LINES = 2
_TABLE = "</table></div>"
# Rows are nothing to the sanitiser without a table around them.
_AROUND_ROWS = "<table><tbody>", "</tbody></table>"


class RowGrowth(Growth):
    """A table; a row is shown when its line has ended."""

    kind = "row"
    _head = ""

    @property
    def frame(self) -> Frame:
        """The table with its head; the open piece is a body without rows."""
        empty = self._empty()
        end = empty.rindex(_TABLE)
        return Frame(
            before=format_html("{}<tbody>\n", cut(empty, 0, end)),
            element="tbody",
            after=cut(empty, end, len(empty)),
        )

    def tail(self, key: str) -> SafeString:
        """Return the table as it stands, its last body with an id of the key."""
        frame = self.frame
        rows = joined(self.finished)
        opened = format_html('</tbody><tbody id="polly-open-{}"></tbody>', key)
        return joined([frame.before, rows, opened, frame.after])

    def take(self, source: str) -> int | None:
        """Finish the rows whose line has ended; None if the table has."""
        head = self._head or "\n".join(source.split("\n")[:_HEAD_LINES]) + "\n"
        if cost(head) > LIGHT:
            return None
        skipped = 0 if self._head else len(head)
        text = head + certain(source[skipped:], continued=True)
        blocks = parse(text, self.known.env())
        table = blocks[0]
        if table.tokens[0].type != "table_open":
            return None
        ended = len(blocks) > 1
        whole = text.count("\n")
        rows = [row for row in _rows(table.tokens) if _end(row) <= whole]
        try:
            self._finish(rows, text)
        except Lost:
            return None
        if ended:
            self.ended = (
                self.as_it_stands(),
                offset(text, blocks[1].lines[0]) - len(head),
            )
            return None
        self._head = head
        end = max(map(_end, rows), default=_HEAD_LINES)
        return skipped + offset(text, end) - len(head)

    def cost(self, source: str) -> float:
        """Return about what it costs to parse the source: rows cost by their head."""
        return cost(self._head + source) - cost(self._head)

    def _finish(self, rows: list[tuple[Token, ...]], text: str) -> None:
        lines = text.split("\n")
        if not self._head:
            piece(_thead(self.block.tokens), lines[0])
        self.finished += [
            piece(row, lines[_end(row) - 1], around=_AROUND_ROWS) for row in rows
        ]

    def as_it_stands(self, *, opened: bool = False) -> SafeString:
        """Return the table with the rows that are finished."""
        if not self.finished:
            return self._empty()
        frame = self.frame
        after = format_html("</tbody>\n{}", frame.after)
        return joined([frame.before, *self.finished, after])

    def _empty(self) -> SafeString:
        tokens = self.block.tokens
        html = sanitise(to_html([tokens[0], *_thead(tokens), tokens[-1]]))
        return with_formulas(html)


def _thead(tokens: Sequence[Token]) -> tuple[Token, ...]:
    end = next(n for n, token in enumerate(tokens) if token.type == "thead_close")
    return tuple(tokens[1 : end + 1])


def _rows(tokens: Sequence[Token]) -> Iterator[tuple[Token, ...]]:
    """Yield the tokens of each row of the table's body."""
    start = 0
    begun = False
    for number, token in enumerate(tokens):
        begun = begun or token.type == "tbody_open"
        if begun and token.type == "tr_open":
            start = number
        elif begun and token.type == "tr_close":
            yield tuple(tokens[start : number + 1])


def _end(row: tuple[Token, ...]) -> int:
    return (row[0].map or (0, 0))[1]
