"""A block that grows at its end: what all kinds of them have in common."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it.token import Token

from polly_htmx.markdown.formulas import with_formulas
from polly_htmx.markdown.known import Known
from polly_htmx.markdown.limits import TooCostly, cost
from polly_htmx.markdown.losses import hidden_texts, loses_text
from polly_htmx.markdown.parser import Block
from polly_htmx.markdown.renderer import to_html
from polly_htmx.markdown.sanitiser import sanitise

# The beginning of a line that may still become anything: a rule, the underline of a
# heading, the number of an item, a fence, or nothing but words.
_UNCERTAIN = re.compile(r"[ \t]*(?:\d{1,9}[.)]?|[-+*#=~`_|:>][-+*#=~`_|:> \t]*)?\s*")
_FENCE_LINE = re.compile(r"[ \t]*`{3,}[^`]*")

# What cannot be shown piece by piece is parsed again and again from its beginning:
# with each feed while that costs little, then only when it has grown by an eighth, so
# that the whole work stays in proportion to its length. (By the prices of limits.py.)
LIGHT = 7_000.0
_SHORT = 2_048
# What gets beyond this is cut off, and shown as a block of its own from there on until
# the answer has ended: a feed must not keep others waiting.
_HEAVY = 40_000.0
_LONG = 16_384


def ripe(source: str) -> int:
    """Return how much of an open text is worth parsing again."""
    length = len(source)
    if length <= _SHORT and cost(source) <= LIGHT:
        return length
    return length - length % (1 << max(length.bit_length() - 4, 0))


def is_huge(length: int, price: float) -> bool:
    """Return whether an open block is too much to be parsed again and again."""
    return length > _LONG or price > _HEAVY


def certain(source: str, *, continued: bool = False) -> str:
    """
    Return the source without a last line that may still become anything.

    The first line is left as it is, unless the source is ``continued``: its first
    line has others above it.
    """
    start = source.rfind("\n") + 1
    if not start and not continued:
        return source
    line = source[start:]
    held = _UNCERTAIN.fullmatch(line) or _FENCE_LINE.fullmatch(line)
    return source[:start] if held else source


def offset(source: str, line: int) -> int:
    """Return where a line of the source begins."""
    return sum(len(text) + 1 for text in source.split("\n")[:line])


def whole_lines(source: str) -> str:
    """Return the source up to its last line; all of it if it has only one."""
    return source[: source.rfind("\n") + 1] or source


def joined(parts: Iterable[SafeString]) -> SafeString:
    """Return pieces of HTML as one."""
    return mark_safe("".join(parts))  # noqa: S308 - each has been marked as safe


def piece(
    tokens: Sequence[Token],
    source: str,
    hidden: Iterable[str] = (),
    *,
    around: tuple[str, str] = ("", ""),
) -> SafeString:
    """
    Return safe HTML of a part of a block.

    ``around`` it the sanitiser sees what the part needs to be understood. Raises Lost
    where the part, and so the whole block, cannot be shown as Markdown.
    """
    before, after = around
    try:
        html = sanitise(before + to_html(tokens) + after)
    except TooCostly as error:
        raise Lost from error
    if loses_text(source, html, [*hidden, *hidden_texts(tokens)]):
        raise Lost
    return with_formulas(cut(html, len(before), len(html) - len(after)))


def cut(html: SafeString, start: int, end: int) -> SafeString:
    """Return a part of sanitised HTML, which must begin and end between elements."""
    return mark_safe(html[start:end])  # noqa: S308 - it has been sanitised


class Lost(Exception):
    """A part of a block would lose text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands around the pieces of a growing block."""

    before: SafeString
    """Up to the first finished piece."""
    element: str
    """The name of the element that holds the open piece."""
    after: SafeString
    """From the end of the open piece on."""


class Growth(ABC):
    """
    The last block of a text, while it does nothing but grow at its end.

    It is told the source that it has not finished, and makes HTML of the pieces that
    no later text can change, and of the open one.
    """

    kind: ClassVar[str]
    """How the block grows: the name that Change has for it."""

    def __init__(self, block: Block, known: Known) -> None:
        """Take over a block that is the first of the source."""
        self.block = block
        self.known = known
        self.finished: list[SafeString] = []
        self.open = SafeString()
        self.ended: tuple[SafeString, int] | None = None
        """Once it has ended: its final HTML, and how much of the source it took."""
        self.shown = False
        """Whether it has grown at least once."""
        self.price = 0.0
        """About what parsing the finished pieces costs."""

    @property
    @abstractmethod
    def frame(self) -> Frame:
        """What stands around the pieces."""

    @abstractmethod
    def take(self, source: str) -> int | None:
        """
        Finish what can be finished of the source, and return how much that is.

        The source is all that has not been finished yet. Returns None if the block
        is not just growing any more; then either ``ended`` is set, or the block must
        be parsed anew. May raise what the renderer raises.
        """

    def cost(self, source: str) -> float:
        """Return about what it costs to parse the source."""
        return cost(source)

    def as_it_stands(self, *, opened: bool = False) -> SafeString:
        """Return the block, with its open piece or without it, as if it had ended."""
        frame = self.frame
        if not opened:
            return joined([frame.before, *self.finished, frame.after])
        element = format_html("<{}>{}</{}>", frame.element, self.open, frame.element)
        return joined([frame.before, *self.finished, element, frame.after])

    def tail(self, key: str) -> SafeString:
        """Return the block as it stands, the open piece with an id of the key."""
        frame = self.frame
        return format_html(
            '{}{}<{} id="polly-open-{}">{}</{}>{}',
            frame.before,
            joined(self.finished),
            frame.element,
            key,
            self.open,
            frame.element,
            frame.after,
        )
