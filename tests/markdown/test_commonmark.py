"""Each part of CommonMark looks the same in the end, however its text arrived."""

from __future__ import annotations

import os

import pytest

from polly_htmx.markdown import render
from tests.corpus import COMMONMARK, Entry
from tests.markdown.page import at_random, by_character, finished
from tests.oracle import assert_inert

SEEDS = 50 if os.environ.get("POLLY_LONG") == "1" else 2
pytestmark = pytest.mark.no_cover

# A definition that comes after the words which name it changes what has been shown.
# Then the page is shown anew in the end.
MAY_BE_ANEW = {"link reference definitions", "links", "images", "lists"}


def arrives_as(text: str, *, is_anew_well: bool) -> None:
    """Fail unless the growing text ends as the whole, or anew where that is well."""
    whole = render(text)
    expected = {whole, None} if is_anew_well else {whole}
    assert_inert(whole)
    assert finished(text, by_character(text)) in expected
    for seed in range(SEEDS):
        assert finished(text, at_random(text, seed)) in expected
        assert finished(text, at_random(text, seed, 40)) in expected


@pytest.mark.parametrize("entry", COMMONMARK, ids=str)
def test_text_in_pieces_ends_as_the_whole(entry: Entry) -> None:
    has_definitions = "]: " in entry.text or "]:\n" in entry.text
    is_anew_well = has_definitions and entry.category in MAY_BE_ANEW
    arrives_as(entry.text, is_anew_well=is_anew_well)


@pytest.mark.parametrize("entry", COMMONMARK, ids=str)
def test_text_between_others_ends_as_the_whole(entry: Entry) -> None:
    before, after = COMMONMARK[entry.line % 7], COMMONMARK[entry.line % 11]
    text = f"{before.text}\n\n{entry.text}\n\n{after.text}"
    arrives_as(text, is_anew_well="]:" in text)


def test_every_section_has_texts() -> None:
    assert len({entry.category for entry in COMMONMARK}) == 26
    assert len(COMMONMARK) > 100
