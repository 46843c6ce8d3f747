"""A text that grows looks, in the end, as if it had been there all the time."""

from __future__ import annotations

import os
import random
import re
from itertools import product
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from polly_htmx.markdown import MarkdownStream, render
from polly_htmx.markdown.highlight import MAX_CHARS_OF_TEXT
from polly_htmx.markdown.parser import parser
from polly_htmx.markdown.parts import split
from tests.corpus import STREAM, XSS, Entry
from tests.markdown.page import (
    ID,
    KEY,
    Page,
    at_random,
    by_character,
    finished,
    open_piece,
    rows_joined,
    shown,
    watched,
)
from tests.oracle import assert_inert, text_of

LONG = os.environ.get("POLLY_LONG") == "1"

SNIPPETS = [
    "- a\n", "- b c\n", "  - n\n", "1. one\n", "2. two\n", "12) x\n", "+ p\n", "* s\n",
    "- [ ] t\n", "- [x] u\n", "\n", "\n", "\n", "text here. ", "More *em* text! ",
    "**bold", "**", "*", "_u", "_", "~~s~~", "`", "``", "```\n", "```py\n", "~~~\n",
    "x = 1\n", "    code\n", "\tcode\n", "> q\n", "> - q\n", "# h\n", "---\n", "===\n",
    "| a | b |\n", "|---|---|\n", "| 1 | 2 |\n", "|", "word\n", "Aa. Bb\n", "  \n",
    " ", "   ", "a  \nb\n", "\\", "\\\n", "<", "&amp;", "&", "!", "12", "-", "1.",
    "[l](https://a.example) ", "![i](https://a.example/i.png)", "<https://a.example>",
    "\r\n", "\r", "\0", "\ud800", "\u202e", "é。い", "[", "](", "\N{PARROT} ",
]  # fmt: skip
DEFINITIONS = ["[a]", "[a]", "[a]: https://a.example\n", '"title"\n', "[b]: <\n"]
NOTES = [
    "[^1]", "Note.[^n] ", "[^", "[^1]: https://a.example\n", "[^1]: Words.\n", "\n",
]  # fmt: skip


def documents(*snippets: str) -> st.SearchStrategy[str]:
    """Return a strategy of texts made of the snippets."""
    return st.lists(st.sampled_from(snippets), max_size=25).map("".join)


@hypothesis_settings(
    max_examples=1000 if LONG else 100, derandomize=True, deadline=None
)
@given(documents(*SNIPPETS, *NOTES * 3), st.integers(0, 9))
def test_page_with_footnotes_ends_as_the_whole_or_anew(text: str, seed: int) -> None:
    assert finished(text, at_random(text, seed)) in {None, render(text)}


FORMULAS = [
    "$", "$", "$", "$$", "$$", "\\(", "\\)", "\\[", "\\]", "$$\n", "\n$$\n", "\\[\n",
    "\n\\]\n", "$x^2$ ", "$$\nx\n$$\n", "\\(a_b\\) ", "\\frac12", "\\$", "\\\\", "$5 and $10. ",
    "x. y ", "5", "a ", "{", "}", "<b>", "$\n+ b\n", "![$i](https://a.example/i.png) ",
    "[$l](https://a.example) ", "`$c` ", "$。", " $5", "<https://a.example/$> ",
]  # fmt: skip


# No text with formulas is shown anew: each is decided where it stands.
@hypothesis_settings(
    max_examples=5000 if LONG else 300, derandomize=True, deadline=None
)
@given(documents(*SNIPPETS, *FORMULAS * 3), st.integers(0, 9))
def test_page_with_formulas_ends_as_the_whole(text: str, seed: int) -> None:
    assert finished(text, at_random(text, seed)) == render(text)


# Those in which a definition comes after a link that names it.
LATE = [entry for entry in STREAM if "\n[late]: " in entry.text]


@pytest.mark.parametrize("entry", STREAM, ids=str)
def test_page_ends_as_the_whole(entry: Entry) -> None:
    expected = None if entry in LATE else render(entry.text)
    assert finished(entry.text, by_character(entry.text)) == expected
    for seed in range(3):
        assert finished(entry.text, at_random(entry.text, seed)) == expected


# The same texts each time: it claims that none is shown anew, and that is not a
# promise, only what we do as long as the cost is small.
@hypothesis_settings(
    max_examples=5000 if LONG else 300, derandomize=True, deadline=None
)
@given(documents(*SNIPPETS), st.integers(0, 9))
def test_any_page_ends_as_the_whole(text: str, seed: int) -> None:
    assert finished(text, at_random(text, seed)) == render(text)


@hypothesis_settings(max_examples=1000 if LONG else 100, deadline=None)
@given(documents(*SNIPPETS, *DEFINITIONS * 3), st.integers(0, 9))
def test_page_with_link_definitions_ends_as_the_whole_or_anew(
    text: str, seed: int
) -> None:
    assert finished(text, at_random(text, seed)) in {None, render(text)}


@pytest.mark.no_cover
@hypothesis_settings(
    max_examples=1000 if LONG else 100, derandomize=True, deadline=None
)
@given(documents(*SNIPPETS), st.integers(0, 9))
def test_page_depends_on_the_text_and_not_on_its_pieces(text: str, seed: int) -> None:
    whole, _ = shown(text, by_character(text))
    assert shown(text, at_random(text, seed, 40))[0].whole() == whole.whole()


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a\nb", "<p>a\n<open>b</open></p>"),
        ("a\n12) b", "<p><open>a\n12) b</open></p>"),
        ("A b. C", "<p>A b. <open>C</open></p>"),
        ("A *b. C* d. *E", "<p>A <em>b. C</em> d. <open>*E</open></p>"),
        ("2 * 3. A_b. C", "<p>2 * 3. A_b. <open>C</open></p>"),
        ("a [b. c. d", "<p><open>a [b. c. d</open></p>"),
        ("[a. b. c", "<p>[a. b. c</p>"),
        ("`a. b", "<p><open>`a. b</open></p>"),
        ("- a", "<ul>\n<open>a</open></ul>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<open>b</open></ul>"),
        ("- a\n\n- b", "<ul>\n<li>\n<p>a</p>\n</li>\n<open>\n<p>b</p>\n</open></ul>"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<open>b</open></ol>'),
        ("```py\na\n<b", '<code class="language-py">a\n<open>&lt;b</open></code>'),
        ("    a\n    <b", "<code>a\n<open>&lt;b</open></code>"),
        (
            "|a|\n|-|\n|1|\n|2",
            "<tbody>\n<tr>\n<td>1</td>\n</tr>\n</tbody><open>",
        ),
    ],
)
def test_open_block_is_shown_by_pieces(text: str, html: str) -> None:
    _, page = shown(text, by_character(text))
    tail = rows_joined(page.tail)
    if ID in tail:
        start, inside, end = open_piece(tail)
        after = tail[tail.index(">", end) + 1 :]
        tail = f"{tail[:start]}<open>{tail[inside:end]}</open>{after}"
    assert html in tail


@pytest.mark.parametrize(
    ("text", "kind", "grown"),
    [
        ("One two. Three four", "sentence", "One two. "),
        ("- a\n- b", "item", "<li>a</li>\n"),
        ("- [x] a\n- b", "item", '<li class="polly-task">'),
        ("|a|\n|-|\n|1|\n|2", "row", "\n<tr>\n<td>1</td>\n</tr>\n"),
        ("```\na\nb", "line", "a\n"),
    ],
)
def test_finished_pieces_are_sent_once(text: str, kind: str, grown: str) -> None:
    _, page = shown(text, by_character(text))
    told = [change for change in page.changes if change.grown]
    assert [change.kind for change in told] == [kind]
    assert told[0].grown.strip().startswith(grown.strip())
    assert told[0].size >= len(grown.strip())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Text", "\n---"),
        ("Text", "\n=="),
        ("Text", "\n```"),
        ("- a", "\n-"),
        ("1. a", "\n12."),
        ("```\na", "\n```"),
        ("|a|\n|-|", "\n|"),
        ("Text", "\r"),
    ],
)
def test_line_that_may_become_anything_is_not_shown(before: str, after: str) -> None:
    _, page = shown(before + after, by_character(before + after))
    assert text_of(page.html).strip() in {text_of(render(before)).strip(), "a"}


def test_list_that_turns_loose_is_shown_anew_and_goes_on() -> None:
    text = "- a\n- b\n\n- c\n- d\n- e"
    _, page = shown(text, by_character(text))
    assert page.tail.count("<p>") == 5
    assert page.changes[-1].tail is None
    assert finished(text, by_character(text)) == render(text)


def test_definition_before_its_links_is_known_to_all_of_them() -> None:
    text = "[a]: https://a.example\n\nOne [a]. Two.\n\n- [a]\n- [a]\n\nEnd [a]."
    _, page = shown(text, by_character(text))
    assert page.html.count('href="https://a.example"') == 4
    assert finished(text, by_character(text)) == render(text)


def test_definition_that_no_link_uses_is_shown_in_the_end() -> None:
    text = "One.\n\n[a]: https://a.example\n\nTwo.\n\nThree."
    assert finished(text, by_character(text)) is None


def test_code_is_coloured_up_to_the_limit_of_the_whole_text() -> None:
    block = "```py\n" + "a = 1\n" * (MAX_CHARS_OF_TEXT // 15) + "```\n"
    text = block + "- a\n\n  ```py\n  b = 2\n  ```\n" + block * 3 + "End."
    assert 0 < render(text).count("polly-hl-") < MAX_CHARS_OF_TEXT // 6 + 10
    assert finished(text, range(1000, len(text) + 1000, 1000)) == render(text)


def test_line_end_in_two_pieces_is_one() -> None:
    stream = MarkdownStream(KEY)
    stream.feed("a\r")
    stream.feed("a\r\n")
    stream.feed("a\r\nb\0")
    assert text_of(stream.whole()[1]).strip() == "a\nb\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    "text",
    [
        "\u3000\u3000第一段。很好。\n\n\u3000\u3000第二段有*字*。再来。\n\nEnd.",
        "\xa0 Aa. Bb *c*.\n\nEnd.",
        "a|\n---\n\u3000b\n",
        "- a\n````md`, says he",
        "Text\n`````|**!`````, he says.\n\nEnd.",
    ],
)
def test_wide_spaces_and_long_marks_of_code_change_nothing_later(text: str) -> None:
    assert finished(text, by_character(text)) == render(text)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("*Note:* one\n* two\n* three", "N"),
        ("-1\n- two\n\nThree", "1"),
        ("1.5 is\n1. two\n", "1.5"),
    ],
)
def test_word_that_began_like_an_item_stays(text: str, word: str) -> None:
    for start, end in product((1, 2), range(3, len(text) + 1)):
        _, page = shown(text, [start, end])
        assert word in text_of(page.html)
        assert finished(text, [start, end, len(text)]) == render(text)


def test_nothing_changes_without_new_text() -> None:
    stream = MarkdownStream(KEY)
    stream.feed("One. Two")
    assert stream.feed("One. Two").size == 0
    assert stream.feed("One. Two").tail is None


# Hostile texts.


def check_inert(page: Page) -> None:
    assert page.html.count(ID) <= 1
    assert_inert(page.html.replace(ID, ""))


def payloads() -> list[str]:
    """Return all short payloads when asked for, else the same few every time."""
    texts = [entry.text for entry in XSS if len(entry.text) < 600]
    return texts if LONG else random.Random(2026).sample(texts, 45)


@pytest.mark.no_cover
def test_payloads_are_inert_at_every_step() -> None:
    for text in payloads():
        for _, page in watched(text, by_character(text)):
            check_inert(page)
        assert finished(text, by_character(text)) in {None, render(text)}


def test_payloads_are_inert_inside_growing_blocks() -> None:
    for number, text in enumerate(payloads()):
        line = text.replace("\n", " ")
        around = (
            f"A b. {line} c. D\n\n- {line}\n- {line}\n\n|a|\n|-|\n|{line}|\n|b|\n\n"
        )
        for _, page in watched(around, at_random(around, number, 90)):
            check_inert(page)


def test_key_is_escaped() -> None:
    stream = MarkdownStream('"><b>')
    stream.feed("One. Two")
    assert "<b>" not in stream.whole()[1]


# What it costs: counted, since a clock would tell another story on a busy day.

KINDS = {
    "prose": "Parrots **eat** seeds.\n\n## More\n\nThey `fly` [far](https://a.example).\n\n",
    "paragraph": "Parrots **eat** seeds, and *fruit*. They `fly` far (all of them)! ",
    "words": "Parrots eat seeds and nuts ",
    "list": "- Parrots **eat** seeds.\n",
    "loose list": "1. Parrots **eat** seeds.\n\n   They fly.\n\n",
    "tasks": "- [x] Parrots eat seeds.\n",
    "table": "| Parrots | **eat** | seeds |\n",
    "code": "    print('parrots')\n\n    return 1\n",
    "fence": "    print('<b>')\n\n",
    "one line of code": "print(1); ",
    "formulas": "So $x^2 + 1$ is \\(\\frac{a}{b}\\), for $5 or more. ",
    "equations": "$$\nx = \\sqrt{a + b}\n$$\n\n",
    "prices": "It costs $5 or more. ",
    "quote": "> Parrots **eat** seeds.\n",
    "plain": "![",
}
HEADS = {"table": "|a|b|c|\n|-|-|-|\n", "fence": "```py\n", "one line of code": "~~~\n"}
SIZES = (3_000, 15_000)
STEP = 48


def filled(kind: str, size: int) -> str:
    """Return a text of about that size of one kind."""
    unit = KINDS[kind]
    return HEADS.get(kind, "") + unit * (size // len(unit))


def parsed_and_sent(text: str, counter: list[int]) -> tuple[float, float]:
    """Return how often each character is parsed, and sent."""
    counter.clear()
    stream = MarkdownStream(KEY)
    sent = sum(
        stream.feed(text[:end]).size for end in range(STEP, len(text) + STEP, STEP)
    )
    return sum(counter) / len(text), sent / len(text)


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the length of each text that is parsed."""
    lengths: list[int] = []
    for part in (parser().block, parser().inline):

        def counted(source: str, *args: Any, parse: Any = part.parse) -> Any:
            lengths.append(len(source))
            return parse(source, *args)

        monkeypatch.setattr(part, "parse", counted)
    return lengths


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "quote"])
def test_cost_is_in_proportion_to_the_length(kind: str, counter: list[int]) -> None:
    short, long = (parsed_and_sent(filled(kind, size), counter) for size in SIZES)
    for before, after in zip(short, long, strict=True):
        assert after < max(1.3 * before, 10)
        assert after < 25


@pytest.mark.no_cover
def test_what_does_not_grow_by_pieces_costs_a_bounded_multiple(
    counter: list[int],
) -> None:
    work, sent = parsed_and_sent(filled("quote", 40_000), counter)
    assert work < 120
    assert sent < 60


def test_closed_blocks_are_not_sent_again() -> None:
    text = filled("prose", 4_000)
    _, page = shown(text, range(STEP, len(text) + STEP, STEP))
    sent = sum(len("".join(split(change.closed))) for change in page.changes)
    assert sent <= len(render(text))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "plain"])
def test_long_text_of_a_kind_ends_as_the_whole(kind: str) -> None:
    text = filled(kind, 6_000) + "\n\nThe end."
    assert finished(text, range(STEP, len(text) + STEP, STEP)) == render(text)


@pytest.mark.no_cover
def test_huge_block_goes_on_and_is_shown_anew_in_the_end() -> None:
    text = filled("quote", 40_000) + "last words"
    stream, page = shown(text, range(500, len(text) + 500, 500))
    assert page.closed
    assert text_of(page.html).count("seeds") > 0.85 * text.count("seeds")
    assert stream.finish(text) is None


# What fails.


@pytest.mark.no_cover
def test_text_that_costs_too_much_is_shown_plain_and_goes_on() -> None:
    text = "Hello.\n\n" + "[*a" * 10_000 + "\n\n**End**"
    assert "polly-plain" in render(text)
    stream, page = shown(text, range(2_000, len(text) + 2_000, 2_000))
    assert page.closed.startswith("<p>Hello.</p>\n")
    assert page.tail.startswith('<p class="polly-plain">')
    # Where it is cut off, a mark may be parted from its neighbour.
    assert text_of(page.html).count("[*a") >= 9_990
    assert text_of(page.html).count("a") == text.count("a")
    assert page.changes[-1].kind == "line"
    assert stream.finish(text) is None


def test_deep_nesting_is_shown_plain() -> None:
    text = "Hello.\n\n" + "> " * 100 + "the end"
    _, page = shown(text, by_character(text))
    assert "polly-plain" in page.tail
    assert "the end" in page.tail


@pytest.mark.parametrize(
    "name", ["stream.parse", "stream.render_block", "growth.sanitise"]
)
@pytest.mark.parametrize("calls", [1, 4, 7])
def test_failure_is_shown_plain_and_the_stream_goes_on(
    name: str,
    calls: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    text = (
        "# Secret\n\nOne. Two.\n\n- a\n- <b>\n\n> c\n\n> d\n\n***\n\n1. e\n2. f\n\nEnd."
    )
    left = [calls]

    def failing(*args: object, **kwargs: object) -> NoReturn:
        left[0] -= 1
        raise RecursionError("Secret")

    path = f"polly_htmx.markdown.{name}"
    stream, page = MarkdownStream(KEY), Page()
    for end in by_character(text):
        if end == 5 * calls:
            monkeypatch.setattr(path, failing)
        page.apply(stream.feed(text[:end]))
        check_inert(page)
    assert left[0] < calls, name
    assert "polly-plain" in page.tail
    assert page.tail.rstrip().endswith("</p>")
    assert re.sub(r"\W", "", text_of(page.html)).endswith("End")
    assert page.changes[-1].kind == "line"
    assert "RecursionError" in caplog.text
    assert "Secret" not in caplog.text
    monkeypatch.undo()
    assert stream.finish(text) is not None
