"""A terminal: where people write lines, and what a model says can do no harm."""

from __future__ import annotations

import re
import sys

from django.core.management.base import OutputWrapper

HOSTILE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
"""Control characters but newline and tab: they move the cursor, set colours and
titles, and in some terminals type commands. And marks that turn a text around."""


def harmless(text: str) -> str:
    """Return a text without what a terminal would obey."""
    return HOSTILE.sub("", text)


class Terminal:
    """Shows texts as they come, and reads lines; without a person, only the texts."""

    def __init__(self, out: OutputWrapper) -> None:
        self.has_person = sys.stdin.isatty() and out.isatty()
        self._out = out
        encoding = getattr(out, "encoding", None)
        self._encoding = encoding if isinstance(encoding, str) else "utf-8"

    def read(self, prompt: str) -> str | None:
        """Return the next line, or None at the end of the input."""
        if self.has_person:
            try:
                return input(prompt)
            except EOFError:
                self.say("\n")
                return None
        line = sys.stdin.readline()
        return line.rstrip("\n") if line else None

    def say(self, text: str) -> None:
        """Show a text that is a model's or a person's, at once."""
        known = harmless(text).encode(self._encoding, "replace")
        self._out.write(known.decode(self._encoding), ending="")
        self._out.flush()

    def note(self, text: str) -> None:
        """Show a line about the chat, if somebody is there to read it."""
        if self.has_person:
            self.say(f"{text}\n")
