"""Which blocks of a text have ended, so that no later text can change them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from polly_htmx.markdown.parser import Block


def open_from(
    blocks: Sequence[Block], env: dict[str, Any], source: str
) -> tuple[int, int]:
    """
    Return how many of the source's blocks have ended, and where the rest begins.

    The second number is that of a line. ``env`` holds what the parser has found, and
    the source must not end in a line that may still become anything.
    """
    if not blocks:
        return 0, 0
    first, last = blocks[-1].lines
    definitions = _definitions(env)
    if _is_final(blocks[-1], source) or any(line >= last for line, _ in definitions):
        return len(blocks), last
    # A definition may go on in the line below: its title can stand there.
    if any(line == first for _, line in definitions):
        first = blocks[-2].lines[1] if len(blocks) > 1 else 0
    return len(blocks) - 1, first


def _definitions(env: dict[str, Any]) -> list[tuple[int, int]]:
    """Return the lines of each link definition of the source itself."""
    found = [*env["references"].values(), *env.get("duplicate_refs", ())]
    return [(first, last) for first, last in (d["map"] for d in found) if first >= 0]


def _is_final(block: Block, source: str) -> bool:
    """Return whether nothing that follows can become part of the block."""
    first, last = block.lines
    token = block.tokens[0]
    if last > source.count("\n"):
        return False
    if token.type == "fence":
        # One that is open has a line less that is not code.
        return token.content.count("\n") + 2 == last - first
    return token.type in {"heading_open", "hr"}
