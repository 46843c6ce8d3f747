"""What Markdown looks like in a page."""

from __future__ import annotations

import logging
from html import unescape
from typing import Any

import pytest
from django.utils.safestring import SafeString
from hypothesis import example, given, strategies as st

from polly_htmx.markdown import clean_text, parser, render, rendering
from polly_htmx.markdown.sanitiser import sanitise
from tests.corpus import STREAM, Entry
from tests.oracle import normalised, parsed, text_of

LINK = 'target="_blank" rel="nofollow noopener noreferrer ugc"'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("", ""),
        (" \n\t\n", ""),
        ("**a** *b* `c`", "<p><strong>a</strong> <em>b</em> <code>c</code></p>"),
        ("~~a~~", "<p><del>a</del></p>"),
        ("# a\n## b", "<h1>a</h1><h2>b</h2>"),
        ("3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'),
        ("a  \nb", "<p>a<br>\nb</p>"),
        ("a\n\n---", "<p>a</p><hr>"),
        ("> a", "<blockquote><p>a</p></blockquote>"),
        ("[a](https://b.example)", f'<p><a href="https://b.example" {LINK}>a</a></p>'),
        ("<a@b.example>", f'<p><a href="mailto:a@b.example" {LINK}>a@b.example</a></p>'),
        ("[a](/b)", "<p>[a](/b)</p>"),
        ("[*a*]() b", "<p><em>a</em> b</p>"),
        ("a[^1] b[^n-2].", "<p>a<sup>1</sup> b<sup>n-2</sup>.</p>"),
        ("[^1]: a *b*", "<p><sup>1</sup>: a <em>b</em></p>"),
        (r"\[^1] `[^2]` [^] [^a b]", "<p>[^1] <code>[^2]</code> [^] [^a b]</p>"),
        (
            "a[^1]\n\n[^1]: https://b.example",
            f'<p>a<a href="https://b.example" {LINK}><sup>1</sup></a></p>',
        ),
        ("https://b.example", "<p>https://b.example</p>"),
        ("<b>a</b>", "<p>&lt;b&gt;a&lt;/b&gt;</p>"),
        ("```\n<a>\n```", '<pre class="polly-code" tabindex="0"><code>&lt;a&gt;\n</code></pre>'),
        ("    a\n", '<pre class="polly-code" tabindex="0"><code>a\n</code></pre>'),
    ],
)  # fmt: skip
def test_markdown_becomes_html(text: str, html: str) -> None:
    assert normalised(render(text)) == normalised(html)


def test_result_is_marked_safe() -> None:
    assert isinstance(render("a"), SafeString)
    assert isinstance(render(""), SafeString)


def test_table_scrolls_and_aligns_by_class() -> None:
    html = render("a|b|c|d\n-|:-|:-:|-:\n1|2|3|4")
    assert '<div class="polly-table" tabindex="0"><table>' in html
    assert [cell.get("class") for cell in parsed(html).iter("td")] == [
        None,
        "polly-align-left",
        "polly-align-center",
        "polly-align-right",
    ]


def test_task_list_has_boxes_and_no_controls() -> None:
    html = render("- [ ] a\n- [x] *b*\n- [X]c\n- [y] d\n\n[ ] e")
    assert text_of(html).split() == [
        "☐",
        "a",
        "☑",
        "b",
        "[X]c",
        "[y]",
        "d",
        "[",
        "]",
        "e",
    ]
    assert html.count('class="polly-task"') == 2


@pytest.mark.parametrize("mark", ["- [x]", "- [ ]\n", "1. [x] `a`"])
def test_task_box_needs_a_text(mark: str) -> None:
    assert ("☑" in render(mark)) == ("`" in mark)


def test_definition_that_no_link_uses_is_shown() -> None:
    html = render("[a]\n\n[a]: https://a.example\n[b]: https://b.example")
    assert text_of(html).split() == ["a", "[b]:", "https://b.example"]


@pytest.mark.parametrize("row", ["1|2|three", "`a|b`|c", "a|b|a"])
def test_row_with_too_many_cells_is_not_cut(row: str) -> None:
    html = render(f"before\n\na|b\n-|-\n{row}\n\n*after*")
    assert row in text_of(html)
    # The rest of the text keeps its looks.
    assert "<em>after</em>" in html


@pytest.mark.parametrize("entry", STREAM, ids=str)
def test_tricky_document_is_not_taken_for_lossy(entry: Entry) -> None:
    html = render(entry.text)
    assert "polly-plain" not in html or "]: " in text_of(html)


@pytest.mark.parametrize("entry", STREAM, ids=str)
def test_same_text_renders_the_same(entry: Entry) -> None:
    assert render(entry.text) == render(entry.text)


def test_address_that_the_sanitiser_refuses_is_shown() -> None:
    html = render("[a](https://b.c%00d/e)")
    assert html == '<p class="polly-plain">[a](https://b.c%00d/e)</p>\n'


@given(st.text(alphabet=st.characters(), max_size=200))
@example("\ud800\x00\r")
@example("[a]: /u\n[a]: https://b.example\n[x][a]")
@example("http://\u0430pple.com <http://xn--a> &eacute; `&eacute;`")
def test_any_text_keeps_its_letters(text: str) -> None:
    # An entity stands for its character, but only outside of code.
    shown = text_of(render(text))
    assert letters(unescape(text)) <= letters(shown) | letters(unescape(shown))


@pytest.mark.parametrize(
    "text",
    [
        "[x](http://\u0430pple.com/\xe9?a=%C3%A9)",
        "![y](https://xn--bcher-kva.example/b 'Title')",
        "[x][Straße]\n\n[STRASSE]: https://a.example 'T'",
        "![*x*][l]\n\n[l]: https://a.example",
    ],
)
def test_hidden_destination_is_not_taken_for_lost(text: str) -> None:
    assert "polly-plain" not in render(text)


def letters(text: str) -> set[str]:
    """Return the letters and digits that a text holds."""
    return {character for character in text if character.isalnum()}


@given(
    st.lists(
        st.sampled_from(["*", "**", "`", "~~", "[", "](", ")", "> ", "- ", "1. ", "\n", "\n\n", "|", "-", " ", "word", "é", "```", "    "]),
        max_size=40,
    ).map("".join)
)  # fmt: skip
def test_structure_keeps_its_words(text: str) -> None:
    html = render(text)
    assert text_of(html).count("word") == text.count("word")
    assert text_of(html).count("é") == text.count("é")


@pytest.mark.parametrize("error", [RecursionError, ValueError, KeyError("secret")])
def test_text_is_shown_escaped_when_the_parser_fails(
    error: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: str) -> None:
        raise error

    monkeypatch.setattr(rendering, "parse", fail)
    assert render("<b>*a*") == '<p class="polly-plain">&lt;b&gt;*a*</p>\n'
    assert "secret" not in caplog.text
    assert "*a*" not in caplog.text
    assert caplog.records[0].levelno == logging.ERROR


def test_only_the_block_is_plain_when_rendering_it_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(html: str) -> SafeString:
        if "boom" in html:
            raise RuntimeError
        return sanitise(html)

    monkeypatch.setattr(rendering, "sanitise", fail)
    html = render("*a*\n\n*boom* <i>\n\n*c*")
    assert '<p class="polly-plain">*boom* &lt;i&gt;</p>' in html
    assert "<em>a</em>" in html
    assert "<em>c</em>" in html


def test_text_is_plain_when_markup_loses_some_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rendering, "to_html", lambda _: "<p>shorter</p>")
    assert render("a longer text") == '<p class="polly-plain">a longer text</p>\n'


def test_html_of_blocks_joins_to_the_whole() -> None:
    text = "# a\n\n- b\n- c\n\n[d]\n\n[d]: https://e.example\n"
    blocks = parser.parse(clean_text(text))
    assert "".join(map(rendering.render_block, blocks)) == render(text)
