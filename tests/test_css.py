"""House rules of the stylesheets, and proof that each rule bites."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tinycss2
from tinycss2.color4 import parse_color

from scripts.styles import PARTS, WHOLE, whole

CSS = Path(__file__).resolve().parent.parent / "static" / "polly_htmx" / "css"
FILES = sorted(CSS.rglob("*.css"))

LAYER = re.compile(r"\s*polly(\.[a-z-]+)*\s*(,\s*polly(\.[a-z-]+)*\s*)*")
# Classes of others that our rules may lean on, such as htmx's own.
FOREIGN_CLASSES = {"htmx-request", "htmx-swapping", "htmx-settling", "htmx-added"}
CODE_CLASSES = re.compile(r"[a-z][a-z0-9]{0,2}")
"""Pygments' short token classes. They are allowed in code.css, inside ours."""
GUARD = "guard.css"
GUARDING = "all: revert-layer"
"""The one file outside of layers, which may only send everything back into them."""
PHYSICAL = re.compile(r"(.+-)?(left|right)(-.+)?|(min-|max-)?(width|height)")
"""Properties that mean the same side in every script: ours follow the script."""
KEYWORDS = {"currentcolor", "transparent"}
COSTLY = {
    re.compile(r"\*\s*[+~]|[+~]\s*[*:]"): "a sibling of whatever it is",
    re.compile(r":has\(\s*[^>:\s]"): "a look for something anywhere inside",
}
"""With these a browser restyles all of a chat when an answer grows by a word. For
siblings there is :first-child, and :has() goes step by step."""
# At-rules that hold style rules or further at-rules.
NESTING = {"layer", "media", "supports", "container", "starting-style", "scope"}


def walk(nodes: list[Any], layered: bool = False) -> Iterator[tuple[Any, bool]]:
    """Yield every rule and declaration, with whether it lies inside @layer."""
    for node in nodes:
        if node.type in {"whitespace", "comment"}:
            continue
        yield node, layered
        if node.content is None if hasattr(node, "content") else True:
            continue
        nests = node.type == "qualified-rule" or node.at_keyword in NESTING
        inside = layered or getattr(node, "at_keyword", "") == "layer"
        if nests:
            yield from walk(tinycss2.parse_blocks_contents(node.content), inside)
        else:
            for inner, _ in walk(tinycss2.parse_blocks_contents(node.content)):
                if inner.type == "declaration":
                    yield inner, inside


def tokens(nodes: list[Any]) -> Iterator[Any]:
    """Yield every token, also those inside brackets and functions."""
    for node in nodes:
        yield node
        yield from tokens(getattr(node, "arguments", None) or [])
        if node.type.endswith("block"):
            yield from tokens(node.content)


def is_literal_colour(token: Any) -> bool:
    """Return whether a token of a value is a colour, written out."""
    if token.type == "ident":
        return token.lower_value not in KEYWORDS and bool(parse_color(token.value))
    if token.type == "hash":
        return True
    names = {"rgb", "rgba", "hsl", "hsla", "hwb", "lab", "lch", "oklab", "oklch"}
    return token.type == "function" and token.lower_name in names | {"color"}


def declaration_faults(node: Any, file: str) -> Iterator[str]:
    """Yield what is wrong with one declaration."""
    if node.important:
        yield f"!important on {node.name}"
    if node.name.startswith("--") and not node.name.startswith("--polly-"):
        yield f"{node.name} is not prefixed --polly-"
    elif PHYSICAL.fullmatch(node.lower_name):
        yield f"{node.name} is not logical"
    # A keyword of another property may be the name of a colour; animations and
    # grid lines have names of their own.
    free = node.lower_name in {"animation", "animation-name", "grid-area"}
    if file.startswith("tokens") or free:
        return
    for token in tokens(node.value):
        if is_literal_colour(token):
            yield f"a literal colour in {node.name}: {token.serialize()}"


def selector_faults(prelude: list[Any], file: str) -> Iterator[str]:
    """Yield what is wrong with the selectors of one rule."""
    selector = tinycss2.serialize(prelude)
    for pattern, fault in COSTLY.items():
        if pattern.search(selector):
            yield f"{fault}: {selector.strip()}"
    found = [token for token in tokens(prelude) if token.type != "whitespace"]
    for before, token in zip([None, *found], found, strict=False):
        if token.type == "hash":
            yield f"an id selector: #{token.value}"
        if token.type != "ident" or before is None or before != ".":
            continue
        named_ours = token.value == "polly" or token.value.startswith("polly-")
        ours = named_ours or token.value in FOREIGN_CLASSES
        if not ours and not (
            file == "code.css" and CODE_CLASSES.fullmatch(token.value)
        ):
            yield f"a class that is not prefixed polly-: .{token.value}"


def at_rule_faults(node: Any) -> Iterator[str]:
    """Yield what is wrong with one at-rule."""
    prelude = tinycss2.serialize(node.prelude).strip()
    if node.at_keyword == "layer" and not LAYER.fullmatch(prelude):
        yield f"a layer outside of polly: {prelude}"
    if node.at_keyword == "import":
        yield "an @import"
    if node.at_keyword in {"keyframes", "property", "font-face", "container"}:
        own = prelude.startswith(("polly-", "--polly-", "("))
        if node.at_keyword != "font-face" and not own:
            yield f"@{node.at_keyword} {prelude} is not prefixed polly-"


def faults(text: str, file: str = "block.css") -> list[str]:
    """Return all that is wrong with a stylesheet."""
    found = []
    for node, layered in walk(tinycss2.parse_stylesheet(text)):
        if node.type == "error":
            found.append(f"cannot be parsed: {node.message}")
        elif node.type == "declaration":
            found += declaration_faults(node, file)
            if file == GUARD and node.serialize().strip() != GUARDING:
                found.append(f"more than a guard: {node.serialize()}")
        elif node.type == "qualified-rule":
            found += selector_faults(node.prelude, file)
            if not layered and file != GUARD:
                found.append(f"outside @layer: {tinycss2.serialize(node.prelude)}")
        elif node.type == "at-rule":
            found += at_rule_faults(node)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_stylesheet_keeps_the_house_rules(path: Path) -> None:
    assert faults(path.read_text(), path.name) == []


@pytest.mark.parametrize(
    ("planted", "fault"),
    [
        (".polly-a { color: #fff }", "a literal colour"),
        (".polly-a { border: 1px solid red }", "a literal colour"),
        (".polly-a { background: linear-gradient(rgb(0 0 0), blue) }", "literal"),
        (".polly-a { --other: 1px }", "is not prefixed --polly-"),
        (".polly-a { margin: 0 !important }", "!important"),
        ("#log { margin: 0 }", "an id selector"),
        (".polly-a:not(#log) { margin: 0 }", "an id selector"),
        (".card { margin: 0 }", "a class that is not prefixed"),
        (".polly-a { & .card { margin: 0 } }", "a class that is not prefixed"),
        ("@media print { .card { margin: 0 } }", "a class that is not prefixed"),
        (".polly-a > * + * { margin: 0 }", "a sibling of whatever"),
        (".polly-a ~ * .polly-b { margin: 0 }", "a sibling of whatever"),
        (".polly-a + :is(p, ul) { margin: 0 }", "a sibling of whatever"),
        (".polly-a:has(.polly-b) { margin: 0 }", "a look for something"),
        (".polly-a { margin-left: 0 }", "is not logical"),
        (".polly-a { border-top-right-radius: 0 }", "is not logical"),
        (".polly-a { max-width: 1px }", "is not logical"),
        (".polly-a { colr red }", "cannot be parsed"),
        ("@keyframes spin { to { rotate: 1turn } }", "is not prefixed polly-"),
    ],
)
def test_a_planted_fault_is_found(planted: str, fault: str) -> None:
    found = faults(f"@layer polly.blocks {{ {planted} }}")
    assert any(fault in text for text in found), found


@pytest.mark.parametrize(
    ("planted", "fault"),
    [
        (".polly-a { margin: 0 }", "outside @layer"),
        ("@layer site { .polly-a { margin: 0 } }", "a layer outside of polly"),
        ("@media print { .polly-a { margin: 0 } }", "outside @layer"),
        ("@import 'other.css';", "an @import"),
    ],
)
def test_a_rule_in_the_wrong_place_is_found(planted: str, fault: str) -> None:
    found = faults(planted)
    assert any(fault in text for text in found), found


def test_a_guard_may_do_nothing_but_guard() -> None:
    assert faults(".polly-a { all: revert-layer }", GUARD) == []
    assert faults(".polly-a { all: unset }", GUARD)
    assert faults(".polly-a { margin: 0 }", GUARD)


@pytest.mark.parametrize(
    "planted",
    [
        "@layer polly.tokens, polly.blocks;",
        "@layer polly { .polly-a, .polly-a__b:hover { color: var(--polly-ink) } }",
        "@layer polly { .polly-a { color: inherit; fill: currentColor } }",
        "@layer polly { @media (width < 20rem) { .polly-a { gap: 0 } } }",
        "@layer polly { .polly-a { &:focus-visible { outline: 2px solid } } }",
        "@layer polly { @keyframes polly-blink { 50% { opacity: 0 } } }",
        "@layer polly { .polly-a.htmx-request { opacity: 0.5 } }",
        "@layer polly { .polly-a ~ .polly-b, .polly-a:has(> .polly-c) { gap: 0 } }",
    ],
)
def test_good_css_passes(planted: str) -> None:
    assert faults(planted) == []


def test_colours_may_stand_in_tokens_and_token_classes_in_code() -> None:
    tokens_css = "@layer polly { .polly-a { --polly-ink: #123456 } }"
    assert faults(tokens_css, "tokens-dark.css") == []
    assert faults("@layer polly { .polly-code .kn { margin: 0 } }", "code.css") == []


def test_what_is_served_is_made_of_the_parts() -> None:
    """If it is not: make format."""
    assert WHOLE.read_text() == whole()
    assert {f"{part}.css" for part in PARTS} == {path.name for path in FILES}
    assert "@import" not in whole()
