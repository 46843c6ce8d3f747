"""The colours of code: one for each class, and readable in light and dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from polly_htmx.markdown.highlight import CLASSES

FOLDER = Path(__file__).parents[2] / "static" / "polly_htmx" / "css"
TOKENS = (FOLDER / "tokens-code.css").read_text()
RULES = (FOLDER / "code.css").read_text()

# WCAG 2.2, level AA, for text of normal size.
MIN_CONTRAST = 4.5

LIGHT, DARK = (
    dict(re.findall(r"(--polly-[\w-]+): (#[0-9a-f]{6});", part))
    for part in TOKENS.split("@media")
)
INKS = sorted(name for name in LIGHT if not name.endswith(("background", "border")))


def luminance(colour: str) -> float:
    """Return the relative luminance of #rrggbb."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", INKS)
def test_code_is_readable(name: str, scheme: dict[str, str]) -> None:
    assert contrast(scheme[name], scheme["--polly-code-background"]) >= MIN_CONTRAST


def test_light_and_dark_have_the_same_colours() -> None:
    assert LIGHT.keys() == DARK.keys()


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_each_class_has_a_colour_and_a_rule(name: str) -> None:
    assert f"--{name}" in LIGHT
    assert f".{name} {{ color: var(--{name});" in RULES
