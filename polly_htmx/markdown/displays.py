"""Formulas in lines of their own, whose lines may look like the beginning of a list."""

from __future__ import annotations

import re

from markdown_it.common.utils import mdTrim
from markdown_it.rules_block import StateBlock

from polly_htmx.markdown.formulas import MAX_CHARS, may_hold

_MARKS = ("$$", "\\[")
# By itself in its line, or before what is no word: "$$ is the shell's number".
_BEGINS = re.compile(r"(?:\$\$|\\\[)[ \t]*\Z|\\\[|\$\$(?=\S)")
# A sign: at the beginning of a line an item, a quote, or what makes a heading or a rule
# of the line above. A fence or a heading is none, and ends what was no formula.
_SIGN = re.compile(r"[-+*=>]")
_UNDERLINE = re.compile(r"(?:=+|-+)[ \t]*\Z")


def keep_whole(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - the parser calls its rules by position
    """
    Make a paragraph that no line with a sign in a formula ends; a rule for the parser.

    Whether the formula comes to its end is not asked: what has been shown of a text that
    grows would have to change.
    """
    if silent or not _may_begin(state, start):
        return False
    line = _behind_signs(state, start)
    if line is None:
        return False  # Then it is a paragraph like others.
    while line < end and not _is_ended(state, line):
        line += 1
    _push(state, start, line)
    return True


def _may_begin(state: StateBlock, start: int) -> bool:
    """Return False for most paragraphs, which have no mark of a formula."""
    first = state.bMarks[start]
    marked = min(_next(mark, state, first) for mark in _MARKS)
    return marked < _next("\n\n", state, first)


def _next(text: str, state: StateBlock, start: int) -> int:
    """Return where the text comes next in the source, or where that ends."""
    # Kept, since it may be far away: the items of a long list have no blank line, and
    # each of them would look through all that come after it.
    key = f"next {text}"
    found: int = state.env.get(key, -1)
    if found < start:
        found = state.src.find(text, start)
        found = len(state.src) if found < 0 else found
        state.env[key] = found
    return found


def _behind_signs(state: StateBlock, start: int) -> int | None:
    """Return the line after the last one with a sign that a formula keeps."""
    found = None
    room = _room(_line(state, start))
    for line in range(start + 1, state.lineMax):
        text = _line(state, line)
        if not room or state.isEmpty(line) or state.sCount[line] < state.blkIndent:
            room = _room(text)
        else:
            room = max(0, room - len(text)) if may_hold(text) else 0
            if _SIGN.match(text):
                found = line + 1
                continue
        if _is_ended(state, line) or _UNDERLINE.match(text):
            break
    return found


def _room(text: str) -> int:
    """Return how long the formula may get that begins in a line, 0 if there is none."""
    begins = _BEGINS.match(text) and may_hold(text[2:])
    return max(0, MAX_CHARS - len(text)) if begins else 0


def _is_ended(state: StateBlock, line: int) -> bool:
    """Return whether a line ends the paragraph above it, as the parser itself sees it."""
    if state.isEmpty(line):
        return True
    if state.is_code_block(line) or state.sCount[line] < 0:
        return False
    before, state.parentType = state.parentType, "paragraph"
    rules = state.md.block.ruler.getRules("paragraph")
    ended = any(rule(state, line, state.lineMax, True) for rule in rules)  # noqa: FBT003 - as above
    state.parentType = before
    return ended


def _line(state: StateBlock, line: int) -> str:
    start = state.bMarks[line] + state.tShift[line]
    return state.src[start : state.eMarks[line]]


def _push(state: StateBlock, start: int, end: int) -> None:
    state.line = end
    state.push("paragraph_open", "p", 1).map = [start, end]
    inline = state.push("inline", "", 0)
    text = state.getLines(start, end, state.blkIndent, keepLastLF=False)
    inline.content, inline.map, inline.children = mdTrim(text), [start, end], []
    state.push("paragraph_close", "p", -1)
