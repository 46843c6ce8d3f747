"""Names of symbols and functions, and which kind of MathML element each is."""
# ruff: noqa: RUF001 - these are the signs that are meant

from __future__ import annotations

from html.entities import html5
from unicodedata import category

from polly_htmx.markdown.mathml.elements import leaf

# HTML has taken most of its names from LaTeX. Here are those that it has not, or
# that mean something else there.
_OWN = {
    "Box": "□", "P": "¶", "S": "§", "Vert": "‖", "ast": "∗", "asymp": "≍",
    "backslash": "\\", "bigcirc": "◯", "bigstar": "★", "bot": "⊥", "bullet": "∙",
    "cdot": "⋅", "cdotp": "·", "cdots": "⋯", "circ": "∘", "colon": ":",
    "coloneqq": "≔", "dag": "†", "dagger": "†", "ddag": "‡", "ddagger": "‡",
    "ddots": "⋱", "degree": "°", "dots": "…", "dotsb": "⋯", "dotsc": "…",
    "eqqcolon": "≕", "ell": "ℓ", "epsilon": "ϵ", "exists": "∃", "gets": "←",
    "hbar": "ℏ", "iff": "⟺", "iint": "∬", "implies": "⟹", "impliedby": "⟸",
    "infty": "∞", "land": "∧", "langle": "⟨", "lbrace": "{", "lbrack": "[",
    "lceil": "⌈", "ldots": "…", "leadsto": "⇝", "lfloor": "⌊", "lnot": "¬",
    "lor": "∨", "lvert": "|", "lVert": "‖", "neg": "¬", "neq": "≠", "owns": "∋",
    "partial": "∂", "phi": "ϕ", "pounds": "£", "prime": "′", "qed": "∎",
    "rangle": "⟩", "rbrace": "}", "rbrack": "]", "rceil": "⌉", "rfloor": "⌋",
    "rvert": "|", "rVert": "‖", "star": "⋆", "surd": "√", "to": "→",
    "triangle": "△", "varepsilon": "ε", "varphi": "φ", "vartriangle": "△",
    "vdots": "⋮", "vert": "|",
}  # fmt: skip
_GREEK = (
    "alpha beta gamma delta zeta eta theta vartheta iota kappa varkappa lambda mu nu"
    " xi pi varpi rho varrho sigma varsigma tau upsilon chi psi omega digamma Gamma"
    " Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega Re Im aleph beth gimel"
    " imath jmath eth hslash"
)
_LETTERS = frozenset(_GREEK.split())
# Escaped characters.
_ESCAPED = frozenset("%$&#_{}")

_FUNCTIONS = (
    "arccos arcsin arctan arg cos cosh cot coth csc deg dim exp ker lg ln log sec"
    " sin sinh tan tanh"
)
FUNCTIONS = frozenset(_FUNCTIONS.split())
_LIMITS = "Pr argmax argmin det gcd inf lim liminf limsup max min sup"
LIMITS = frozenset(_LIMITS.split())
_BIG = frozenset("∑∏∐⋀⋁⋂⋃⨀⨁⨂⨄⨆")

_BRACKETS = frozenset("([{⟨⌊⌈)]}⟩⌋⌉")
_BARS = frozenset("|‖")
_ORDINARY = frozenset('∞∅∂∇∠⊤℘∁√.…⋯⋮⋱%$&#_°\\?@"`')
_ARROWS = ((0x2190, 0x21FF), (0x27F0, 0x27FF), (0x2900, 0x297F))
_CHARACTERS = {"-": "−", "*": "∗", "'": "′"}


def symbol(word: str) -> str | None:
    """Return the character that a word stands for; None if there is none."""
    if word[0] != "\\":
        return _CHARACTERS.get(word, word)
    name = word[1:]
    if name in _ESCAPED:
        return name
    if name == "|":
        return "‖"
    if name in _OWN:
        return _OWN[name]
    found = html5.get(f"{name};", "")
    known = name in _LETTERS or category(found[:1] or " ") in {"Sm", "So"}
    return found if known and len(found) == 1 else None


def is_big(character: str) -> bool:
    """Return whether limits stand above and below the character."""
    return character in _BIG


def written(character: str) -> str:
    """Return a symbol as the element that it is: an operator, a letter, a text."""
    if character in _BRACKETS:
        return leaf("mo", character, stretchy="false")
    if character in _BARS:
        return leaf("mo", character, stretchy="false", lspace="0em", rspace="0em")
    if character in {"′", "!", "/"}:
        return leaf("mo", character, lspace="0em", rspace="0em")
    return leaf(_kind(character), character)


def _kind(character: str) -> str:
    """Return the name of the element for a character without a rule of its own."""
    kind = category(character)
    if kind == "So" and not _is_arrow(character):
        return "mi"
    if character in _ORDINARY:
        return "mi"
    if kind[0] == "L":
        return "mi" if ord(character) < 0x2E80 or ord(character) > 0xFFFF else "mtext"  # noqa: PLR2004 - where the scripts of East Asia begin
    return "mo" if kind[0] in "SP" else "mtext"


def _is_arrow(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _ARROWS)
