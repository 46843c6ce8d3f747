"""Verbatim: a text that is no Markdown, shown as it was written."""

from __future__ import annotations

from django.utils.html import escape
from django.utils.safestring import SafeString

from polly_htmx.markdown.text import clean_text, legible


def verbatim(text: str) -> SafeString:
    """Return the text as safe HTML without any markup; white space stays as it is."""
    return escape(legible(clean_text(text)))


class VerbatimStream:
    """A text that grows: its pieces, one after the other, make verbatim() of it."""

    def __init__(self, text: str = "") -> None:
        """Begin with a text that is shown already."""
        self._read = len(text)

    def feed(self, text: str, *, is_whole: bool = False) -> SafeString:
        """Return what there is to add now that the text has grown to this."""
        # A carriage return is half a line end, if a line feed comes next.
        end = len(text) - (text.endswith("\r") and not is_whole)
        piece, self._read = text[self._read : end], end
        return verbatim(piece)

    def lacks(self, text: str) -> bool:
        """Tell whether there is anything to add."""
        return len(text) - text.endswith("\r") > self._read

    def shown(self, text: str) -> str:
        """Return the part of the text that has been shown."""
        return text[: self._read]
