"""Hostile and tricky texts, one a line of a file, and the reader of such files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent

_CATEGORY = re.compile(r"#! category: (.*) \(\d+\)")
_REPEAT = re.compile(r"@@REPEAT\((\d+),(.*?)\)@@", re.DOTALL)
_ESCAPE = re.compile(
    r"\\(?:([\\nrt])|x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))"
)
_SHORT = {"\\": "\\", "n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True)
class Entry:
    """One text of a corpus file."""

    line: int
    category: str
    text: str

    def __str__(self) -> str:
        """Return a short name, for the ids of parametrised tests."""
        return f"{self.category}-{self.line}"


def load(name: str) -> list[Entry]:
    """Return the decoded entries of a file in this folder."""
    entries, category = [], ""
    content = (FOLDER / name).read_bytes().decode()
    # Not splitlines(): entries may hold characters that it takes for line ends.
    for number, line in enumerate(content.split("\n"), 1):
        if line.startswith("#!"):
            found = _CATEGORY.match(line)
            category = found[1] if found else category
        elif line:
            entries.append(Entry(number, category, decode(line)))
    return entries


def decode(line: str) -> str:
    """Return the text that a line stands for."""
    parts = _REPEAT.split(line)
    # split() gives: text, count, repeated text, text, count, ...
    texts = [_unescaped(text) for text in parts[::3]]
    repeated = [
        _unescaped(text) * int(count)
        for count, text in zip(parts[1::3], parts[2::3], strict=True)
    ]
    return "".join(a + b for a, b in zip(texts, [*repeated, ""], strict=True))


def _unescaped(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        if match[1]:
            return _SHORT[match[1]]
        return chr(int(match[2] or match[3] or match[4], 16))

    return _ESCAPE.sub(character, text)


XSS = load("xss.txt")
STREAM = load("stream.txt")
COMMONMARK = load("commonmark.txt")
