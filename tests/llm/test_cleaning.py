from __future__ import annotations

import pytest

from polly_htmx.llm.cleaning import Cleaner, clean


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("plain 🦜", "plain 🦜"),
        ("a\x00b", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("\udc00", "\ufffd"),
        ("\ud83e\udd9c", "🦜"),
        ("\ud800\ud83e\udd9c", "\ufffd🦜"),
    ],
)
def test_text_is_storable_when_cleaned(dirty: str, expected: str) -> None:
    assert clean(dirty) == expected
    assert clean(dirty).encode()


def test_pair_is_joined_when_cut_between_two_pieces() -> None:
    cleaner = Cleaner()
    assert cleaner.feed("a\ud83e") == "a"
    assert cleaner.feed("\udd9cb") == "🦜b"
    assert cleaner.close() == ""


def test_half_a_pair_is_replaced_when_nothing_follows() -> None:
    cleaner = Cleaner()
    assert cleaner.feed("a\ud83e") == "a"
    assert cleaner.close() == "\ufffd"
