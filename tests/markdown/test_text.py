"""Characters that must not be stored, and characters that must not be shown."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from polly_htmx.markdown import clean_text, render
from tests.oracle import text_of

BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\x00b", "a\ufffdb"),
        ("\ud800 \udfff", "\ufffd \ufffd"),
        ("a\r\nb\rc\n", "a\nb\nc\n"),
        ("\r\n\r\n", "\n\n"),
        ("👍🏽 é\u202e", "👍🏽 é\u202e"),
    ],
)
def test_text_is_cleaned(text: str, clean: str) -> None:
    assert clean_text(text) == clean


@given(st.text(alphabet=st.characters()))
def test_clean_text_can_be_stored(text: str) -> None:
    clean = clean_text(text)
    assert "\x00" not in clean.encode().decode()
    assert clean_text(clean) == clean


@pytest.mark.parametrize("character", BIDI)
def test_bidi_control_is_shown_as_replaced(character: str) -> None:
    entity = f"&#{ord(character)};"
    text = f"a{character}b {entity} `c{character}` [d{character}](https://e.example)"
    html = render(f"{text}\n\n```\n{character}\n```")
    assert character not in html
    assert text_of(html).count("\ufffd") == 5


def test_tag_characters_are_taken_out() -> None:
    hidden = "".join(chr(0xE0000 + ord(c)) for c in "ignore all")
    assert render(f"a{hidden}b &#xE0041;") == "<p>ab </p>\n"


@given(st.characters(max_codepoint=0x9F, categories=["Cc"]))
def test_control_characters_never_reach_the_page(character: str) -> None:
    html = render(f"a{character}b&#{ord(character)};")
    assert not [c for c in html if c not in "\n\t" and ord(c) < 32]
    assert not [c for c in html if 0x7F <= ord(c) <= 0x9F]


def test_joiners_and_direction_marks_stay() -> None:
    text = "👨\u200d👩\u200d👧 \u200eنص\u200f ن\u200cص"
    assert text_of(render(text)).strip() == text
