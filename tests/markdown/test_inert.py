"""Nothing that a person or a model writes may do anything but be read."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest
from django.utils.safestring import mark_safe
from hypothesis import given, strategies as st
from pytest_django import Settings

from polly_htmx.markdown import parser, render, rendering
from tests.corpus import XSS, Entry
from tests.oracle import assert_inert, findings, parsed, text_of

# Payloads made of repetitions; what they test is time, elsewhere.
LARGE = 5_000
SMALL = [entry for entry in XSS if len(entry.text) < LARGE]
SAMPLE = 500
ALL_PREFIXES = [
    (entry.text, end) for entry in SMALL for end in range(1, len(entry.text))
]


def prefixes() -> list[tuple[str, int]]:
    """Return all prefixes when asked for, else the same few every time."""
    if os.environ.get("POLLY_LONG") == "1":
        return ALL_PREFIXES
    return random.Random(2026).sample(ALL_PREFIXES, SAMPLE)


@pytest.mark.parametrize("entry", SMALL, ids=str)
def test_payload_is_inert(entry: Entry) -> None:
    assert_inert(render(entry.text))


@pytest.mark.parametrize("entry", SMALL, ids=str)
def test_payload_is_inert_when_images_may_load(
    entry: Entry, settings: Settings
) -> None:
    settings.POLLY = {"IMAGE_HOSTS": ["img.example"]}
    assert_inert(render(entry.text), image_hosts=frozenset({"img.example"}))


def test_prefixes_of_payloads_are_inert() -> None:
    for text, end in prefixes():
        assert_inert(render(text[:end]))


def test_payloads_together_are_inert() -> None:
    assert_inert(render("\n\n".join(entry.text for entry in SMALL)))


@pytest.mark.parametrize("entry", SMALL, ids=str)
def test_payload_does_not_look_like_json(entry: Entry) -> None:
    # A socket extension that parses frames as JSON must not get one from us.
    assert render(entry.text).startswith("<") or not render(entry.text)


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take the sanitiser away, and let the parser pass HTML and any address."""
    parser.parser.cache_clear()
    md = parser.parser()
    md.options["html"] = True
    md.core.ruler.disable(["polly_images"])
    monkeypatch.setattr(md, "validateLink", lambda _: True)
    monkeypatch.setattr(rendering, "sanitise", mark_safe)
    monkeypatch.setattr(rendering, "loses_text", lambda *_: False)
    yield
    md.options["html"] = False
    md.core.ruler.enable(["polly_images"])


def test_payloads_are_found_out_when_the_locks_are_open(unlocked: None) -> None:
    """Without this, the tests above could pass because the oracle sees nothing."""
    flagged = sum(bool(findings(render(entry.text))) for entry in SMALL)
    # Six in ten of the payloads are live HTML or live addresses.
    assert flagged >= 100


@pytest.mark.parametrize(
    "html",
    [
        "<script>x</script>",
        "<p onclick=x>",
        "<p hx-get=/x>",
        "<p data-hx-get=/x>",
        "<div ws-connect=/x>",
        "<div sse-connect=/x>",
        "<p id=x>",
        "<p name=x>",
        "<p style=x>",
        "<p class=polly-message>",
        "<iframe>",
        "<form>",
        "<input>",
        "<svg></svg>",
        "<math></math>",
        "<mi>x</mi>",
        "<math><mi href=/x>x</mi></math>",
        "<math><mi style=x>x</mi></math>",
        "<math><mi class=x>x</mi></math>",
        "<math><mi id=x>x</mi></math>",
        "<math><mtext><b>x</b></mtext></math>",
        "<math><mi><math><mi>x</mi></math></mi></math>",
        "<math><annotation-xml>x</annotation-xml></math>",
        "<math><mi>x</mi><!-- x --></math>",
        "<!-- x -->",
        "<img src=https://other.example/x>",
        '<a href="java\tscript:x">',
        '<a href="/relative">',
        '<a href="https://a.example">',
    ],
)
def test_oracle_flags_each_kind_of_danger(html: str) -> None:
    assert findings(html)


@given(
    st.from_regex(r"[A-Za-z][A-Za-z0-9+.-]{0,12}", fullmatch=True),
    st.sampled_from(
        ["[x]({}:y)", "[x](<{}:y>)", "<{}:yy>", "![x]({}:y)", "[x]\n\n[x]: {}:y"]
    ),
    st.sampled_from(["", " ", "\t", "&#9;", "&#1;", "\u200b", "\x01", "\\"]),
)
def test_schemes_outside_the_list_never_become_links(
    scheme: str, form: str, prefix: str
) -> None:
    assert_inert(render(form.format(prefix + scheme)))


@given(
    st.text(
        alphabet=st.sampled_from("<>\"'`=[]()!&;:/\\#*_~|-+ \nabhxonref"), max_size=80
    )
)
def test_random_structure_is_inert(text: str) -> None:
    assert_inert(render(text))


@pytest.mark.parametrize(
    "text",
    [
        '<div id="polly-message-1" hx-swap-oob="true">x</div>',
        '<article class="polly-message" data-party="USER">x</article>',
        "<think>x</think>",
        "{{ 7*7 }} {% now 'Y' %} {# x #}",
        '<tool_call>{"name": "x"}</tool_call>',
        "</div></article>x",
    ],
)
def test_markup_like_ours_is_shown_as_text(text: str) -> None:
    html = render(text)
    assert text_of(html).strip() == text
    assert [element.tag for element in parsed(html)] == ["p"]
