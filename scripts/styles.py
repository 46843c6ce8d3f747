"""
Put the parts of the stylesheet together, as one file for pages to load.

    python -m scripts.styles

A page that loads twenty files waits for the network again and again. So the parts are
what people edit, and the whole, without their comments, is what is served; a test
fails while it is older than they are.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "static" / "polly_htmx"
WHOLE = FOLDER / "polly.css"
PARTS = (
    *(
        "tokens",
        "tokens-code",
        "base",
        "prose",
        "parts",
        "formulas",
        "log",
        "thoughts",
        "foot",
    ),
    *("actions", "composer", "queue", "empty", "keys", "list", "item", "side"),
    *("page", "code", "print", "guard"),
)
"""In the order of their cascade."""
HEAD = "/* Made of the files in css/ by scripts/styles.py: edit those. */\n"
COMMENT = re.compile(r"[ \t]*/\*.*?\*/[ \t]*\n?", re.DOTALL)
EMPTY = re.compile(r"\n\s*\n+")


def whole() -> str:
    """Return all parts as one stylesheet."""
    parts = [(FOLDER / "css" / f"{part}.css").read_text() for part in PARTS]
    return HEAD + EMPTY.sub("\n", COMMENT.sub("", "".join(parts))).lstrip()


def main() -> int:
    """Write the file."""
    WHOLE.write_text(whole())
    return 0


if __name__ == "__main__":
    sys.exit(main())
