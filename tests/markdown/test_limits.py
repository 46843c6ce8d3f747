"""The work for any text is bounded, whatever its structure."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from polly_htmx.markdown import render
from polly_htmx.markdown.limits import MAX_CHARS, MAX_DEPTH
from polly_htmx.markdown.parser import parser
from tests.corpus import XSS, Entry
from tests.oracle import text_of

pytestmark = pytest.mark.no_cover

SIZES = (16_000, 200_000)
MAX_GROWTH = 20
MAX_SLOWNESS = 10
"""How much more CPU time a character of any text may take than one of an ordinary,
dense answer: a ratio within one run, so a slow machine fails nothing. What grows with
the square of the size is beyond it by far."""
ORDINARY = (
    "## Heading\n\nSome *text* with `code` and a [link](https://a.example/x).\n\n"
    "- one point\n- **another** point\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
    "```python\nfor i in range(3):\n    print(i)\n```\n\n"
)

UNITS = [
    ">", "> ", "- ", "* ", "1. ", "> - ", "[", "]", "![", "[](", "[a](", "[a][",
    "[a](<", '[a](b "', "![a](https://b.c) ", "[a](https://b.c) ", "<https://a.b> ",
    "*", "**a ", "* a *", "_a ", "a*", "*a_", "***a", "*a**b", "**_", "`", "`a`",
    "`` ` ``", "~", "~~a ", "~a*b", "<!--", "<", "<a ", "<b>", "<http:", "<a@", "&",
    "&a", "&#x41;", "&amp;", "\\", "!", "((", "|", "a|", "[^", "*_`[", " ", "\t", "\n",
    "a\n", "# \n", "-\n", "- a\n", "> a\n", "a\n==\n", "```\n", "```c\nx\n```\n",
    "x\n\n", "\\\n", "a  \n", "-\n-\n", "|-|\n", "|a|b|\n|-|-|\n", "|x|y|\n", "[a\n",
    "[a]: https://b.c\n", '[a]: https://b.c "\n', "[a]: <\n", "- [x] a\n",
    "$", "$$", "$a ", "$$a ", "$x$ ", "$((($ ", "\\(", "\\[ ", "\\(x\\)", "$\\frac12$ ",
    "$$\n", "\\[\na\n", "\\[\n- a\n", "$$a\n+ b\n", "\\[\n=\n\\]\n", "> \\[\n> - a\n",
    "> " * 18 + "a\n", "- " * 12 + "a\n", "- a\n  - b\n    - c\n", "word ",
    "> # a\nb\n", ">```a\nb c\n", "> > # a\n> b\n", ">\na\n",
]  # fmt: skip
# Those that come closest to what a text of their length may cost.
HEAVIEST = ["a*", "*a**b", "**a ", "<https://a.b> ", "&", "a  \n", "|a|b|\n|-|-|\n"]
SHAPES: dict[str, Callable[[int], str]] = {
    "brackets": lambda size: "[" * (size // 2) + "]" * (size // 2),
    "emphasis": lambda size: "*" * (size // 2) + "x" + "*" * (size // 2),
    "columns": lambda size: (
        "|a" * (size // 8) + "|\n" + "|-" * (size // 8) + "|\n" + "|\n" * (size // 4)
    ),
    "deepening list": lambda size: "".join(
        "  " * level + "- a\n" for level in range(int(size**0.5))
    ),
    "images in images": lambda size: "![" * (size // 6) + "a" + "](b)" * (size // 6),
    "backticks": lambda size: "".join("`" * n + " " for n in range(int(size**0.5))),
    "one line of code": lambda size: "```js\n" + "a+" * (size // 2) + "\n```",
}


def cpu_seconds(text: str) -> tuple[str, float]:
    """Return the HTML, and how long making it took of this thread's own time."""
    start = time.thread_time()
    html = render(text)
    return html, time.thread_time() - start


@functools.cache
def ordinary_seconds() -> float:
    """Return what a character of an ordinary answer takes here, the best of three."""
    text = ORDINARY * 100
    return min(cpu_seconds(text)[1] for _ in range(3)) / len(text)


def check_bounds(text: str) -> None:
    """Fail if a text takes too long or makes too much."""
    html, seconds = cpu_seconds(text)
    assert seconds < MAX_SLOWNESS * ordinary_seconds() * max(len(text), SIZES[0])
    assert len(html) < MAX_GROWTH * max(len(text), SIZES[0])


def filled(unit: str, size: int) -> str:
    """Return a text of that size made of the unit."""
    return (unit * size)[:size]


@pytest.mark.parametrize("unit", UNITS)
def test_repeated_structure_is_bounded(unit: str) -> None:
    check_bounds(filled(unit, 16_000))


@pytest.mark.parametrize("unit", HEAVIEST[:3])
def test_much_repeated_structure_is_bounded(unit: str) -> None:
    check_bounds(filled(unit, 200_000))


@pytest.mark.long
@pytest.mark.parametrize("unit", UNITS)
def test_any_much_repeated_structure_is_bounded(unit: str) -> None:
    check_bounds(filled(unit, 200_000))


@pytest.mark.parametrize("shape", SHAPES)
def test_nested_structure_is_bounded(shape: str) -> None:
    check_bounds(SHAPES[shape](SIZES[0]))


@pytest.mark.long
@pytest.mark.parametrize("shape", SHAPES)
def test_much_nested_structure_is_bounded(shape: str) -> None:
    check_bounds(SHAPES[shape](SIZES[1]))


@pytest.mark.parametrize(
    "entry", [e for e in XSS if e.category.startswith("size")], ids=str
)
def test_large_payload_is_bounded_and_kept(entry: Entry) -> None:
    check_bounds(entry.text)
    html = render(entry.text)
    assert text_of(html[:10_000]).strip() or not entry.text.strip()


@hypothesis_settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from(UNITS), min_size=1, max_size=4).map("".join))
def test_mixed_structure_is_bounded(unit: str) -> None:
    check_bounds(filled(unit, 16_000))


@pytest.mark.parametrize("mark", ["> ", "- "])
def test_deep_nesting_is_shown_whole(mark: str) -> None:
    html = render(mark * 1000 + "the end")
    assert html.startswith('<p class="polly-plain">')
    assert "the end" in html


@pytest.mark.parametrize(("mark", "levels"), [("> ", 1), ("- ", 2)])
def test_nesting_up_to_the_limit_is_rendered(mark: str, levels: int) -> None:
    depth = MAX_DEPTH // levels - 1
    assert "polly-plain" not in render(mark * depth + "a")
    assert "polly-plain" in render(mark * (depth + 2) + "a")


@pytest.mark.parametrize("unit", ["> # a\nb\n", ">```a\nb c\n", "> > # a\n> b\n"])
def test_quotes_that_are_looked_through_again_and_again_are_shown_plain(
    unit: str,
) -> None:
    assert "polly-plain" not in render(unit * 50)
    assert "polly-plain" not in render(f"{unit}\n" * 300)
    assert render(unit * 1_000).startswith('<p class="polly-plain">')


class Watched(str):
    """A text that counts the characters that are looked through in it."""

    __slots__ = ()
    looked = 0

    def find(self, text: str, start: int = 0, end: int = MAX_CHARS) -> int:  # type: ignore[override]
        """Find as a str does."""
        found = super().find(text, start, end)
        Watched.looked += (min(end, len(self)) if found < 0 else found) - start
        return found


@pytest.mark.parametrize("unit", ["- a\n", "- a\n- \\[b\n", "> $$\n- a\n\n"])
def test_no_item_of_a_long_list_looks_through_all_that_follow(unit: str) -> None:
    text = Watched(unit * 1_000)
    Watched.looked = 0
    parser().block.parse(text, parser(), {}, [])
    assert 0 < Watched.looked <= 4 * len(text)


def test_deep_emphasis_is_shown_plain() -> None:
    # Nested elements without end make browsers slow, and lose some in the end.
    html = render("*" * 600 + "a" + "*" * 600 + "\n\n*b*")
    assert "<em>b</em>" in html
    assert html.count("<strong>") == 0


def test_huge_text_is_shown_plain() -> None:
    html = render("*a* " * 300_000)
    assert html.startswith('<p class="polly-plain">*a* *a*')


def test_long_ordinary_answer_is_rendered() -> None:
    assert "polly-plain" not in render(ORDINARY * 500)
