"""
The parts of a long text: what keeps a browser from looking at all blocks at once.

With each piece of an answer a browser lays out and paints anew the children of what it
has changed, so the blocks of a long text must not all be children of the same element.
The first of them stand side by side; behind those they lie in parts of as many. Where
a block goes depends on nothing but those before it, so a text that grows needs not
move anything.

What is closed while a text grows is told as a piece of its HTML. One that begins inside
of a part has the rest of that part in an element that says so, which no page gets to
see: split() takes it off.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.safestring import SafeString, mark_safe

SIZE = 16
"""Blocks. So long answers of some 700 have about as many parts as a part has blocks,
and most answers have no parts at all."""
PART = '<div class="polly-part">'
REST = '<div class="polly-part-rest">'
END = "</div>"
# No block has these, for its text is escaped, and its sanitiser lets no such class by.


class Parts:
    """Where the blocks of a text go, one after the other."""

    def __init__(self) -> None:
        """Begin before the first block."""
        self.is_open = False
        """Whether the last block lies in a part."""
        self._filled = 0
        self._may_end = True

    def add(self, block: SafeString) -> SafeString:
        """Return the next block, with what ends and begins before it."""
        if not block:
            return block
        before = ""
        if self._filled >= SIZE and self._may_end:
            before = (END if self.is_open else "") + PART
            self.is_open, self._filled = True, 0
        self._filled += 1
        # Its distance from what comes next depends on what that is, and parts do not
        # know of each other.
        self._may_end = not block.startswith("<hr")
        return _safe(before + block)

    @property
    def end(self) -> str:
        """What closes the part that is open, if one is."""
        return END if self.is_open else ""


def gathered(blocks: Iterable[SafeString]) -> SafeString:
    """Return the blocks of a whole text as one."""
    parts = Parts()
    html = "".join([parts.add(block) for block in blocks])
    return _safe(html + parts.end)


def piece_of(html: str, *, inside: bool) -> SafeString:
    """
    Return a piece of a text, from between two blocks to its end, as it may be told.

    ``inside`` says whether it begins in a part.
    """
    if not inside:
        return _safe(html)
    return _safe(html[len(END) :] if html.startswith(END) else REST + html)


def split(piece: str) -> tuple[str, str]:
    """Return what of a piece goes right behind the last block, and the parts then."""
    start = piece.find(PART)
    first, parts = (piece[:start], piece[start:]) if start >= 0 else (piece, "")
    if first.startswith(REST):
        first = first[len(REST) : -len(END)]
    return first, parts


def continued(html: str, piece: str) -> str:
    """Return HTML that ends between two blocks with the next piece behind it."""
    if piece.startswith(REST):
        return html.removesuffix(END) + piece[len(REST) :]
    return html + piece


def with_tail(html: str, tail: str) -> str:
    """Return HTML that ends between two blocks with the tail where blocks go on."""
    return html.removesuffix(END) + tail + END if PART in html else html + tail


def _safe(html: str) -> SafeString:
    return mark_safe(html)  # noqa: S308 - made of blocks, which have been sanitised
