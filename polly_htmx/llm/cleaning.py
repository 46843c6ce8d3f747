"""Text that every database and socket can carry, made from what a provider sent."""

from __future__ import annotations

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_BAD = re.compile("[\x00\ud800-\udfff]")
_PAIR = re.compile("([\ud800-\udbff])([\udc00-\udfff])")


def clean(text: str) -> str:
    """Return the text without NUL and lone surrogates."""
    if not _BAD.search(text):
        return text
    return _BAD.sub(REPLACEMENT, _PAIR.sub(_joined, text))


class Cleaner:
    """Cleans a text that comes in pieces; a pair may be cut between two of them."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, piece: str) -> str:
        """Return what can be passed on now."""
        piece = self._half + piece
        self._half = ""
        if piece and "\ud800" <= piece[-1] <= "\udbff":
            piece, self._half = piece[:-1], piece[-1]
        return clean(piece)

    def close(self) -> str:
        """Return what was still held back."""
        half, self._half = self._half, ""
        return clean(half)


def _joined(match: re.Match[str]) -> str:
    return match[0].encode("utf-16", "surrogatepass").decode("utf-16")
