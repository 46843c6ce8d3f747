"""What the commands of LaTeX that we know are in MathML."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from polly_htmx.markdown.mathml import symbols
from polly_htmx.markdown.mathml.brackets import (
    SIZES,
    Written,
    fence,
    left,
    middle,
    sized,
)
from polly_htmx.markdown.mathml.elements import element, leaf, one, space
from polly_htmx.markdown.mathml.environments import environment
from polly_htmx.markdown.mathml.letters import ALPHABETS, UPRIGHT
from polly_htmx.markdown.mathml.stacks import STACKS
from polly_htmx.markdown.mathml.tokens import Unreadable

if TYPE_CHECKING:
    from polly_htmx.markdown.mathml.reader import Reader

BOXED = "polly-boxed"
STYLES = {
    "\\displaystyle": {"displaystyle": "true", "scriptlevel": "0"},
    "\\textstyle": {"displaystyle": "false", "scriptlevel": "0"},
    "\\scriptstyle": {"displaystyle": "false", "scriptlevel": "1"},
}
_SPACES = {
    ",": "0.1667em", "thinspace": "0.1667em", ":": "0.2222em", ">": "0.2222em",
    ";": "0.2778em", "!": "-0.1667em", "quad": "1em", "qquad": "2em", " ": "0.25em",
    "\n": "0.25em", "enspace": "0.5em",
}  # fmt: skip
_TEXTS = (
    "mbox",
    "text",
    "textbf",
    "textit",
    "textnormal",
    "textrm",
    "textsf",
    "texttt",
)
_SIDES = {"": "", "l": "prefix", "m": "infix", "r": "postfix"}
_NBSP = "\N{NO-BREAK SPACE}"


def _space(width: str, _reader: Reader) -> Written:
    return space(width), False


def _text(reader: Reader) -> Written:
    return leaf("mtext", reader.text().replace(" ", _NBSP)), False


def _alphabet(name: str, reader: Reader) -> Written:
    return reader.in_alphabet(name), False


def _fraction(attributes: dict[str, str], reader: Reader) -> Written:
    html = element("mfrac", reader.argument(), reader.argument())
    return element("mstyle", html, **attributes) if attributes else html, False


def _binomial(reader: Reader) -> Written:
    above, below = reader.argument(), reader.argument()
    inside = element("mfrac", above, below, linethickness="0")
    return element("mrow", fence("("), inside, fence(")", "postfix")), False


def _root(reader: Reader) -> Written:
    degree = reader.optional()
    inside = reader.argument()
    if degree is None:
        return element("msqrt", inside), False
    return element("mroot", inside, degree), False


def _function(name: str, _reader: Reader) -> Written:
    return leaf("mi", name), False


def _limit(name: str, _reader: Reader) -> Written:
    shown = {"argmax": "arg max", "argmin": "arg min"}.get(name, name)
    shown = {"liminf": "lim inf", "limsup": "lim sup"}.get(name, shown)
    return leaf("mo", shown.replace(" ", _NBSP), movablelimits="true"), True


def _operator(reader: Reader) -> Written:
    if reader.take("*"):
        name = reader.text()
        return leaf("mo", name.replace(" ", _NBSP), movablelimits="true"), True
    return leaf("mi", reader.text().replace(" ", _NBSP)), False


def _not(reader: Reader) -> Written:
    word = reader.next()
    character = symbols.symbol(word) if word else None
    if not character or word in {"{", "}"}:
        raise Unreadable
    struck = unicodedata.normalize(
        "NFC", f"{character}\N{COMBINING LONG SOLIDUS OVERLAY}"
    )
    return leaf("mo", struck), False


def _modulo(reader: Reader) -> Written:
    word, inside = leaf("mi", "mod"), reader.argument()
    parts = [fence("("), word, space("0.3333em"), inside, fence(")", "postfix")]
    return element("mrow", space("1em"), *parts), False


def _tag(reader: Reader) -> Written:
    return one([space("2em"), leaf("mtext", f"({reader.text()})")]), False


def _colour(reader: Reader) -> Written:
    # Which colours can be read the page knows, and the formula does not.
    reader.text()
    return reader.argument(), False


def _stacked(reader: Reader) -> Written:
    reader.expect("{")
    rows = [element("mtr", *(element("mtd", c) for c in r)) for r in reader.rows("}")]
    return element("mtable", *rows), False


def _plain(reader: Reader) -> Written:
    return reader.argument(), False


def _boxed(reader: Reader) -> Written:
    # Not every browser knows <menclose>, so the frame is the stylesheet's.
    return element("mrow", reader.argument(), **{"class": BOXED}), False


def _word(word: str, _reader: Reader) -> Written:
    return leaf("mo", word, lspace="0.2222em", rspace="0.2222em"), False


COMMANDS: dict[str, Callable[[Reader], Written]] = {
    **{name: partial(_space, width) for name, width in _SPACES.items()},
    **dict.fromkeys(_TEXTS, _text),
    **{name: partial(_alphabet, name) for name in (*ALPHABETS, UPRIGHT)},
    **STACKS,
    **{name: partial(_function, name) for name in symbols.FUNCTIONS},
    **{name: partial(_limit, name) for name in symbols.LIMITS},
    **{
        size + side: partial(sized, height, form)
        for size, height in SIZES.items()
        for side, form in _SIDES.items()
    },
    "begin": environment,
    "binom": _binomial,
    "bmod": partial(_word, "mod"),
    "boxed": _boxed,
    "cfrac": partial(_fraction, STYLES["\\displaystyle"]),
    "dbinom": _binomial,
    "dfrac": partial(_fraction, STYLES["\\displaystyle"]),
    "frac": partial(_fraction, {}),
    "left": left,
    "mathit": _plain,
    "mathop": _plain,
    "middle": middle,
    "mod": partial(_word, "mod"),
    "not": _not,
    "operatorname": _operator,
    "pmod": _modulo,
    "sqrt": _root,
    "substack": _stacked,
    "tag": _tag,
    "tbinom": _binomial,
    "textcolor": _colour,
    "tfrac": partial(_fraction, STYLES["\\textstyle"]),
}
