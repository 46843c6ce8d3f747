"""LaTeX cut into commands, numbers and characters, and the place that is read now."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[0-9]+(?:\.[0-9]+)?|\s+|.", re.DOTALL)
_ESCAPED = re.compile(r"\\([$%&#_{} ])")

END = ""
"""Stands behind the last word."""


class Unreadable(Exception):
    """A formula that is not in order, or says what we do not know."""


class Tokens:
    """The tokens of a formula, of which white space is read over."""

    def __init__(self, latex: str) -> None:
        """Begin with the first word."""
        self._tokens: list[str] = [*_TOKEN.findall(latex), END]
        self._at = 0

    @property
    def last(self) -> str:
        """The word that was read last, or nothing."""
        before = self._tokens[max(0, self._at - 2) : self._at]
        return next((word for word in reversed(before) if word.strip()), "")

    def peek(self) -> str:
        """Return the next word, and leave it there."""
        while self._tokens[self._at].isspace():
            self._at += 1
        return self._tokens[self._at]

    def next(self) -> str:
        """Return the next word, and go on behind it."""
        word = self.peek()
        self._at += word != END
        return word

    def take(self, word: str) -> bool:
        """Go on behind the next word if it is this one."""
        found = self.peek() == word
        self._at += found
        return found

    def expect(self, word: str) -> None:
        """Go on behind this word. Raises Unreadable if another one is next."""
        if not self.take(word):
            raise Unreadable

    def first_digit(self) -> str | None:
        """Return the first digit of a number that is next, and go on behind it."""
        number = self.peek()
        if not number[:1].isdecimal() or not number.isascii():
            return None
        self._tokens[self._at] = number[1:]
        if not number[1:]:
            self._at += 1
        return number[0]

    def text(self, opening: str = "{", closing: str = "}") -> str:
        """Return what stands between two brackets, as text."""
        self.expect(opening)
        found = []
        while (word := self._tokens[self._at]) != closing:
            plain = _ESCAPED.sub(r"\1", word)
            if word in {END, "{", "}"} or (word[0] == "\\" and word == plain):
                raise Unreadable
            found.append(plain)
            self._at += 1
        self._at += 1
        return "".join(found)
