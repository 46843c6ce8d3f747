"""The README's snippets, by the names in their fences."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
FENCE = re.compile(r"^```(\S+)(?: ([^\n]+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def snippets() -> dict[str, str]:
    """Return all snippets; fails where two have the same name, or one has none."""
    found = [(label, text) for _language, label, text in FENCE.findall(text())]
    assert len(dict(found)) == len(found)
    assert all(label for label, _text in found)
    return dict(found)


def snippet(label: str) -> str:
    """Return one snippet."""
    return snippets()[label]


def own_htmx(version: int) -> str:
    """Return the snippet of a page that loads htmx itself, for a version of htmx."""
    shown = snippet("own-htmx.html")
    assert "version=2" in shown
    if version == 2:
        return shown
    shown = shown.replace("version=2", f"version={version}")
    return shown.replace("includeIndicatorStyles", "includeIndicatorCSS")


def text() -> str:
    """Return the whole README."""
    return README.read_text()
