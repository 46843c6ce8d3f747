"""Letters in the alphabets of mathematics: bold, double-struck, script and others."""

from __future__ import annotations

import unicodedata
from functools import cache

# What Unicode calls them, and the letters that were there before the others.
ALPHABETS = {
    "mathbb": ("DOUBLE-STRUCK", "DOUBLE-STRUCK"),
    "mathbf": ("BOLD", ""),
    "mathcal": ("SCRIPT", "SCRIPT"),
    "mathfrak": ("FRAKTUR", "BLACK-LETTER"),
    "mathscr": ("SCRIPT", "SCRIPT"),
    "mathsf": ("SANS-SERIF", ""),
    "mathtt": ("MONOSPACE", ""),
    "boldsymbol": ("BOLD ITALIC", ""),
    "bm": ("BOLD ITALIC", ""),
}
UPRIGHT = "mathrm"


@cache
def styled(character: str, alphabet: str) -> str:
    """Return a letter or digit in an alphabet; as it is where there is none."""
    if alphabet not in ALPHABETS:
        return character
    style, older = ALPHABETS[alphabet]
    name = unicodedata.name(character, "")
    name = name.replace("LATIN ", "").replace("GREEK ", "").replace("LETTER ", "")
    style = style if "DIGIT" not in name else style.removesuffix(" ITALIC")
    for found in (f"MATHEMATICAL {style} {name}", f"{older} {name}"):
        try:
            return unicodedata.lookup(found)
        except KeyError:
            continue
    return character
