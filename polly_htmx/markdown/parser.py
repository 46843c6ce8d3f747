"""Markdown to tokens, cut into blocks that can be rendered one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from polly_htmx.markdown import (
    budget,
    displays,
    formulas,
    images,
    links,
    notes,
    quotes,
    tables,
    tasks,
)
from polly_htmx.markdown.limits import MAX_DEPTH, PARSER_DEPTH, TooCostly


@dataclass(frozen=True, kw_only=True)
class Block:
    """One piece at the top level of a text; together they cover all of it."""

    tokens: tuple[Token, ...]
    """What the parser made of it; none for what it did not show."""
    source: str
    """The lines that it was made of."""
    definitions: tuple[str, ...] = ()
    """Texts of link definitions in it that links somewhere make use of."""
    lines: tuple[int, int] = (0, 0)
    """The numbers of its first line and of the one after its last."""


@cache
def parser() -> MarkdownIt:
    """Return the parser, with nothing switched on that takes HTML or guesses."""
    options = {
        "html": False,
        "linkify": False,
        "typographer": False,
        "maxNesting": PARSER_DEPTH,
        "store_labels": True,
    }
    md = MarkdownIt("commonmark", options)
    md.enable(["table", "strikethrough"])
    md.block.ruler.before("table", "polly_depth", _refuse_depth)
    md.block.ruler.before("lheading", "polly_displays", displays.keep_whole)
    # Its brackets begin as escaped ones do.
    md.inline.ruler.before("escape", "polly_formulas", formulas.find)
    # Before escaped brackets become ones like others.
    md.core.ruler.before("text_join", "polly_notes", notes.raise_marks)
    md.core.ruler.push("polly_links", links.unlink_empty)
    md.core.ruler.push("polly_images", images.replace_foreign)
    md.core.ruler.push("polly_code", budget.spend_on_code)
    md.core.ruler.push("polly_tables", tables.align_by_class)
    md.core.ruler.push("polly_tasks", tasks.mark_tasks)
    # Not by subclassing: the parser calls each as an attribute of the instance.
    md.validateLink = links.is_allowed  # type: ignore[method-assign]
    read = quotes.bounded(md.block.tokenize)
    md.block.tokenize = read  # type: ignore[method-assign, assignment]
    return md


def parse(text: str, env: dict[str, Any] | None = None) -> list[Block]:
    """
    Return the blocks of a text, in order.

    ``env`` may say what is known from the text before; see known.py. Raises
    TooCostly where quotes or lists nest too deep.
    """
    env = {} if env is None else env
    tokens = parser().parse(text, env)
    lines = text.split("\n")
    used = _Definitions(tokens, env)
    blocks: list[Block] = []
    end = 0
    for group in _top_level(tokens):
        first, last = group[0].map or (end, end)
        blocks += _between(lines, end, first, used)
        source = "\n".join(lines[first:last])
        texts = used.within(first, last)
        lines_of = (first, last)
        blocks.append(
            Block(tokens=group, source=source, definitions=texts, lines=lines_of)
        )
        end = last
    return [*blocks, *_between(lines, end, len(lines), used)]


class _Definitions:
    """The link definitions of a text that at least one link or image uses."""

    def __init__(self, tokens: Iterable[Token], env: dict[str, Any]) -> None:
        labels = set(_labels(tokens))
        found = env.get("references", {}).items()
        self._used = [(*d["map"], k, d) for k, d in found if k in labels]
        self.lines = {n for first, last, *_ in self._used for n in range(first, last)}

    def within(self, first: int, last: int) -> tuple[str, ...]:
        """Return the texts of those that lie between two lines."""
        return tuple(
            text
            for start, stop, label, definition in self._used
            if first <= start and stop <= last
            for text in (label, definition["href"], definition["title"])
        )


def _labels(tokens: Iterable[Token]) -> Iterator[str]:
    """Yield the labels of links and images that name a definition."""
    for token in tokens:
        if "label" in token.meta:
            yield token.meta["label"]
        yield from _labels(token.children or ())


def _top_level(tokens: Iterable[Token]) -> Iterator[tuple[Token, ...]]:
    """Yield the tokens of each block that lies in no other."""
    group: list[Token] = []
    depth = 0
    for token in tokens:
        group.append(token)
        depth += token.nesting
        if depth == 0:
            yield tuple(group)
            group = []


def _between(
    lines: list[str], first: int, last: int, used: _Definitions
) -> Iterator[Block]:
    """Yield what stands between two blocks: link definitions that no link uses."""
    rest = [lines[n] for n in range(first, last) if n not in used.lines]
    source = "\n".join(rest).strip("\n")
    if source.strip():
        yield Block(tokens=(), source=source, lines=(first, last))


def _refuse_depth(state: StateBlock, _start: int, _end: int, _silent: bool) -> bool:  # noqa: FBT001 - the parser calls its rules by position
    """Never match, but stop before the parser would drop what lies too deep."""
    if state.level >= MAX_DEPTH:
        raise TooCostly
    return False
