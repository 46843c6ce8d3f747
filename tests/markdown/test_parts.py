"""Long texts lie in parts, the same whether they grew or were there all the time."""

from __future__ import annotations

import re
from unittest.mock import patch  # Small parts, so that texts can be short.

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from polly_htmx.markdown import MarkdownStream, parts, render
from polly_htmx.markdown.parts import END, PART, REST, SIZE, continued, split
from tests.corpus import STREAM, Entry
from tests.markdown.page import KEY, at_random, finished, watched
from tests.markdown.test_stream import LATE, SNIPPETS, documents

NAME = "polly_htmx.markdown.parts.SIZE"
BLOCKS = ["a b\n\n", "# h\n\n", "---\n\n", "- i\n\n", "> q\n\n", "```\nc\n```\n\n"]


def flat(html: str) -> str:
    """Return the HTML of a text as it would be without parts."""
    inside = PART in html
    return re.sub(f"({END})?{PART}", "", html).removesuffix(END if inside else "")


def lengths(html: str) -> list[int]:
    """Return how many paragraphs stand before the first part, and in each."""
    return [part.count("<p>") for part in html.split(PART)]


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        (SIZE, [SIZE]),
        (SIZE + 1, [SIZE, 1]),
        (3 * SIZE, [SIZE, SIZE, SIZE]),
        (3 * SIZE + 1, [SIZE, SIZE, SIZE, 1]),
    ],
)
def test_blocks_behind_the_first_lie_in_parts(blocks: int, expected: list[int]) -> None:
    html = render("Words.\n\n" * blocks)
    assert lengths(html) == expected
    assert flat(html) == "<p>Words.</p>\n" * blocks
    assert html.count("<div") == html.count("</div>")


def test_rule_ends_no_part() -> None:
    html = render("Words.\n\n" * (SIZE - 1) + "---\n\n***\n\nWords.\n\nMore.")
    assert lengths(html) == [SIZE, 1]


def test_text_cannot_end_a_part_or_begin_one() -> None:
    html = render(f"{PART}{END}{REST}\n\n" * (SIZE + 1))
    assert html.count(PART) == 1
    assert html.count(END) == 1
    assert REST not in html


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("entry", STREAM, ids=str)
def test_text_that_grew_has_the_parts_of_the_whole(entry: Entry, size: int) -> None:
    whole = render(entry.text)
    with patch(NAME, size):
        html = render(entry.text)
        shown = finished(entry.text, at_random(entry.text, size))
    assert shown == (None if entry in LATE else html)
    if entry.text.count("\n") < SIZE:
        assert flat(html) == whole


@hypothesis_settings(max_examples=100, derandomize=True, deadline=None)
@given(documents(*SNIPPETS, *BLOCKS * 4), st.integers(0, 9), st.integers(1, 3))
def test_any_text_that_grew_has_the_parts_of_the_whole(
    text: str, seed: int, size: int
) -> None:
    with patch(NAME, size):
        assert finished(text, at_random(text, seed, 40)) == render(text)


def test_tail_is_told_with_each_new_part() -> None:
    text = "> a\n\n# b\n\n" * 12
    with patch(NAME, 1):
        stream = MarkdownStream(KEY)
        changes = [stream.feed(text[:end]) for end in range(0, len(text), 10)]
    new = [change for change in changes if split(change.closed)[1]]
    assert len(new) > 10
    assert all(change.tail is not None for change in new)


def test_pieces_are_told_by_what_has_come_before() -> None:
    text = "".join(BLOCKS) * 3
    told = ""
    with patch(NAME, 2):
        for _stream, page in watched(text, at_random(text, 4)):
            closed = page.changes[-1].closed
            assert closed.startswith(REST) <= (PART in told)
            told = continued(told, closed)
            assert told == page.closed
    assert parts.REST not in told
    assert told.count(PART) > 4
