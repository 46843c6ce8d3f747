"""MathML as text: the only place that writes it, so all of it is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_ELEMENTS = (
    "math mfrac mi mn mo mover mpadded mroot mrow mspace msqrt mstyle msub msubsup"
    " msup mtable mtd mtext mtr munder munderover"
)
ELEMENTS = frozenset(_ELEMENTS.split())
_ATTRIBUTES = (
    "accent accentunder class columnalign display displaystyle form height lspace"
    " linethickness mathvariant maxsize minsize movablelimits rspace scriptlevel"
    " stretchy tabindex width"
)
ATTRIBUTES = frozenset(_ATTRIBUTES.split())


def leaf(name: str, text: str, **attributes: str) -> str:
    """Return an element that holds text."""
    return _written(name, escape(text, quote=False), attributes)


def element(name: str, *children: str, **attributes: str) -> str:
    """Return an element that holds others."""
    return _written(name, "".join(children), attributes)


def one(parts: Sequence[str]) -> str:
    """Return elements as a single one."""
    return parts[0] if len(parts) == 1 else element("mrow", *parts)


def space(width: str) -> str:
    """Return a gap, as wide as a length of CSS says."""
    return element("mspace", width=width)


def scripts(base: str, below: str | None, above: list[str], *, limits: bool) -> str:
    """Return the base with its scripts; the base alone if there are none."""
    over = one(above) if above else None
    names = ("munder", "mover") if limits else ("msub", "msup")
    if below and over:
        name = "munderover" if limits else "msubsup"
        return element(name, base, below, over)
    if below:
        return element(names[0], base, below)
    return element(names[1], base, over) if over else base


def _written(name: str, content: str, attributes: dict[str, str]) -> str:
    # Names are ours, never those of a formula; should that change, it fails here.
    if name not in ELEMENTS or not attributes.keys() <= ATTRIBUTES:
        raise ValueError
    shown = "".join(f' {key}="{escape(attributes[key])}"' for key in attributes)
    return f"<{name}{shown}>{content}</{name}>"
