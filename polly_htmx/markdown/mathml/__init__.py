"""LaTeX to MathML, of which every character has been written by this package."""

from __future__ import annotations

import re
from functools import lru_cache

from polly_htmx.markdown.mathml.elements import element, one
from polly_htmx.markdown.mathml.environments import aligned
from polly_htmx.markdown.mathml.reader import Reader
from polly_htmx.markdown.mathml.tokens import Unreadable

__all__ = ["Unreadable", "to_mathml"]


_TAG = re.compile("<[^>]*>")
# So many signs may be too wide for a phone. There it scrolls, and what scrolls must be
# within reach of the keys.
_WIDE = 20
# How much longer the result may be: what gets longer is made of nothing but marks.
_MOST_GROWTH = 20
_SMALL = 100


# While an answer grows, its open sentence is shown again and again.
@lru_cache(maxsize=256)
def to_mathml(latex: str, *, display: bool) -> str:
    """
    Return a formula as a math element; ``display`` says that it has its own line.

    The work is in proportion to the length. Raises Unreadable for what is not in
    order, nests too deep, or has a command that we do not know: so nothing of a
    formula is left out in silence.
    """
    reader = Reader(latex)
    rows = reader.rows()
    content = one(rows[0]) if len(rows) == 1 == len(rows[0]) else aligned(rows)
    block = {"display": "block"} if display else {}
    may_scroll = display or len(_TAG.sub("", content)) > _WIDE
    reach = {"tabindex": "0"} if may_scroll else {}
    html = element("math", content, **block, **reach)
    if len(html) > _MOST_GROWTH * len(latex) + _SMALL:
        raise Unreadable
    return html
