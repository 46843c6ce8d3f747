"""The grammar of a formula: rows, scripts, groups and what a command takes."""
# ruff: noqa: RUF001 - these are the signs that are meant

from __future__ import annotations

import re
from typing import NamedTuple

from polly_htmx.markdown.mathml import letters, symbols
from polly_htmx.markdown.mathml.commands import COMMANDS, STYLES
from polly_htmx.markdown.mathml.elements import element, leaf, one, scripts, space
from polly_htmx.markdown.mathml.tokens import END, Tokens, Unreadable

# Groups within groups. What lies deeper nobody can read, and it would take the
# computer's stack.
_MAX_DEPTH = 24
_STOPS = frozenset({END, "}", "&", "\\\\", "\\right", "\\end", "\\cr"})
_SIGNS = frozenset("+−±∓")
_OPERATOR = re.compile("<mo[^>]*>(.*)</mo>")
# Operators that end something, so that what follows is between two things.
_AFTER = frozenset(")]}⟩⌋⌉|‖!′")
_FUNCTION_SPACE = "0.1667em"


class Atom(NamedTuple):
    """The smallest thing that can have scripts, as a single element."""

    html: str
    limits: bool = False
    """Whether its scripts stand above and below it."""


class Reader(Tokens):
    """A formula that is read from left to right, and written as MathML."""

    alphabet = ""
    """In which letters are written now."""
    _depth = 0

    def rows(self, end: str = END) -> list[list[str]]:
        """Return the cells of each row up to the end, each as a single element."""
        rows: list[list[str]] = [[]]
        while True:
            rows[-1].append(one(self.row("&", "\\\\", "\\cr", end)))
            word = self.next()
            if word == end:
                break
            if word != "&":
                self._skip_distance()
                rows.append([])
        # The last row may be ended as the others are.
        if len(rows) > 1 and rows[-1] == [element("mrow")]:
            rows.pop()
        return rows

    def row(self, *ends: str) -> list[str]:
        """Return the elements up to one of the ends, which is not read."""
        parts: list[str] = []
        while (word := self.peek()) not in ends:
            if word in _STOPS:
                raise Unreadable
            if word in STYLES:
                self.next()
                self._deeper(1)
                parts.append(element("mstyle", *self.row(*ends), **STYLES[word]))
                self._deeper(-1)
            else:
                self._add(parts, word)
        return parts

    def _add(self, parts: list[str], word: str) -> None:
        """Add an atom with its scripts, and the space that a function has."""
        is_function = word[1:] in symbols.FUNCTIONS or word == "\\operatorname"
        if is_function and (self.last[:1].isalnum() or self.last in {")", "]", "}"}):
            parts.append(space(_FUNCTION_SPACE))
        sign = symbols.symbol(word) if word != END else None
        if sign in _SIGNS and _is_operator(parts):
            self.next()
            parts.append(leaf("mo", sign or "", form="prefix"))
            return
        parts.append(self.scripted())
        if is_function and self.peek() not in {*_STOPS, "(", "[", "\\left", "\\{"}:
            parts.append(space(_FUNCTION_SPACE))

    def scripted(self) -> str:
        """Return an atom with what stands below and above it."""
        atom = Atom(element("mrow")) if self.peek() in {"_", "^"} else self.atom()
        limits = atom.limits
        below: str | None = None
        above: list[str] = []
        has_power = False
        while (word := self.peek()) in {"_", "^", "'", "\\limits", "\\nolimits"}:
            self.next()
            if word == "_" and below is None:
                below = self.argument()
            elif word == "^" and not has_power:
                has_power = True
                above.append(self.argument())
            elif word == "'":
                above.append(self._primes())
            elif word in {"\\limits", "\\nolimits"}:
                limits = word == "\\limits"
            else:
                raise Unreadable
        return scripts(atom.html, below, above, limits=limits)

    def argument(self) -> str:
        """Return what a command or a script takes: a group, or a single thing."""
        digit = self.first_digit()
        if digit:
            return self._number(digit)
        if self.peek() in _STOPS:
            raise Unreadable
        return self.atom().html

    def _primes(self) -> str:
        """Return all primes that stand together; the first has been read."""
        marks = "′"
        while self.take("'"):
            marks += "′"
        return leaf("mo", marks, lspace="0em", rspace="0em")

    def optional(self) -> str | None:
        """Return what stands in square brackets, if they are next."""
        if not self.take("["):
            return None
        content = one(self.row("]"))
        self.expect("]")
        return content

    def in_alphabet(self, alphabet: str) -> str:
        """Return an argument with its letters in an alphabet."""
        before, self.alphabet = self.alphabet, alphabet
        html = self.argument()
        self.alphabet = before
        return html

    def atom(self) -> Atom:
        """Return the next thing, without its scripts."""
        self._deeper(1)
        found = self._atom(self.next())
        self._deeper(-1)
        return found

    def _atom(self, word: str) -> Atom:
        if word == "{":
            content = one(self.row("}"))
            self.expect("}")
            return Atom(content)
        if word[0].isascii() and word[0].isdecimal():
            return Atom(self._number(word))
        if word[0].isascii() and word.isalpha():
            return Atom(self._letters(word))
        if word[0] == "\\" and word[1:] in COMMANDS:
            return Atom(*COMMANDS[word[1:]](self))
        character = symbols.symbol(word)
        if not character or character.isspace() or not character.isprintable():
            raise Unreadable
        if character.isalpha() and self.alphabet:
            return Atom(leaf("mi", letters.styled(character, self.alphabet)))
        return Atom(symbols.written(character), symbols.is_big(character))

    def _number(self, digits: str) -> str:
        return leaf("mn", "".join(letters.styled(c, self.alphabet) for c in digits))

    def _letters(self, first: str) -> str:
        """Return a letter; in an alphabet also those behind it."""
        if not self.alphabet:
            return leaf("mi", first)
        found = [first]
        while self.peek().isascii() and self.peek().isalpha():
            found.append(self.next())
        text = "".join(letters.styled(letter, self.alphabet) for letter in found)
        # A single letter would be slanted.
        upright = {"mathvariant": "normal"} if text == first else {}
        return leaf("mi", text, **upright)

    def _deeper(self, levels: int) -> None:
        """Note that what follows lies so much deeper. Raises Unreadable."""
        self._depth += levels
        if self._depth > _MAX_DEPTH:
            raise Unreadable

    def _skip_distance(self) -> None:
        """Go on behind the distance between two rows, if there is one."""
        if self.peek() == "[":
            self.text("[", "]")


def _is_operator(parts: list[str]) -> bool:
    """Return whether what comes next is a sign: before it stands an operator."""
    operator = _OPERATOR.fullmatch(parts[-1]) if parts else None
    return operator is not None and operator[1] not in _AFTER
