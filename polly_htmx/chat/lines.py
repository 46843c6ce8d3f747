"""Lines: a text from anywhere as one plain line."""

from __future__ import annotations

import re

from polly_htmx.markdown import clean_text

# Control characters, direction marks and what is invisible besides: in a list they
# could make one title run into the next, or two look the same.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def plain_line(text: str) -> str:
    """Return a text as one line without invisible characters and superfluous space."""
    return " ".join(_INVISIBLE.sub("", clean_text(text)).split())
