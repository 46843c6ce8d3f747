"""Blocks: a growing Markdown text, cut where a part of it is whole."""

from __future__ import annotations

import re

FENCE = re.compile(r"[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(`{3,}|~{3,})(.*)")
"""A line that opens or closes fenced code, also as the first line of a list's entry.
Any indentation counts: models write code inside of lists far more often than they
show a fence in indented code."""


class BlockReader:
    """
    Cuts a text that comes in pieces at its blank lines, those in fences aside.

    A scanner of lines, no parser: where the two differ, blocks are longer or shorter
    than Markdown's own, but joined together they are always the text. In a quote no
    line is blank, so a fence there needs no care.
    """

    def __init__(self) -> None:
        self._line: list[str] = []
        self._block: list[str] = []
        self._fence = ""

    def add(self, text: str) -> list[str]:
        """Take the next piece; return the blocks that are whole, blank lines and all."""
        *ends, rest = text.split("\n")
        blocks = []
        for end in ends:
            line = "".join([*self._line, end, "\n"])
            self._line = []
            self._block.append(line)
            self._look_for_fence(line)
            if not line.strip() and not self._fence:
                blocks.append(self._cut())
        if rest:
            self._line.append(rest)
        return blocks

    def end(self) -> list[str]:
        """Return what is left at the end of the text, as one block if there is any."""
        self._block += self._line
        self._line, self._fence = [], ""
        return [self._cut()] if self._block else []

    def _cut(self) -> str:
        block, self._block = "".join(self._block), []
        return block

    def _look_for_fence(self, line: str) -> None:
        found = FENCE.match(line)
        if found is None:
            return
        marks, rest = found[1], found[2].strip()
        if not self._fence:
            # Backticks on both sides are code within a line.
            self._fence = "" if marks[0] == "`" and "`" in rest else marks
        elif not rest and marks.startswith(self._fence):
            self._fence = ""
