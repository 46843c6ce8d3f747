"""The model of htmx, on small pages."""

from __future__ import annotations

import pytest

from polly_htmx.markdown import render
from tests.applied import Ignored, Page
from tests.corpus import STREAM, XSS, Entry
from tests.dom import parse
from tests.oracle import normalised


def applied(page: str, *frames: str) -> str:
    """Return a page after some frames, written in one way."""
    model = Page(page)
    for frame in frames:
        model.apply(frame)
    assert not model.strays
    return model.root.inner_html


@pytest.mark.parametrize(
    ("piece", "expected"),
    [
        ('<p id="a" hx-swap-oob="true">2</p>', '<p id="a">2</p><i></i>'),
        ('<b id="a" hx-swap-oob="outerHTML">2</b>', '<b id="a">2</b><i></i>'),
        ('<b hx-swap-oob="outerHTML:#a">2</b>', "<b>2</b><i></i>"),
        ('<b id="a">2</b>', '<b id="a">2</b><i></i>'),
        ('<b id="a" hx-swap-oob="innerHTML">2</b>', '<p id="a">2</p><i></i>'),
        ('<b hx-swap-oob="innerHTML:#a"><u></u></b>', '<p id="a"><u></u></p><i></i>'),
        ('<b hx-swap-oob="beforeend:#a">2</b>', '<p id="a">12</p><i></i>'),
        ('<b hx-swap-oob="afterbegin:#a">2</b>', '<p id="a">21</p><i></i>'),
        (
            '<b hx-swap-oob="beforebegin:#a">2<u></u></b>',
            '2<u></u><p id="a">1</p><i></i>',
        ),
        ('<b hx-swap-oob="afterend:#a">2</b>', '<p id="a">1</p>2<i></i>'),
        ('<b id="a" hx-swap-oob="delete"></b>', "<i></i>"),
        ('<b hx-swap-oob="delete:#a"></b>', "<i></i>"),
    ],
)
def test_piece_goes_where_htmx_would_put_it(piece: str, expected: str) -> None:
    assert applied('<p id="a">1</p><i></i>', piece) == expected


def test_pieces_of_a_frame_see_what_those_before_them_did() -> None:
    frame = '<b hx-swap-oob="beforeend:#a"><i id="b"></i></b>\n'
    frame += '<b hx-swap-oob="innerHTML:#b">x</b>'
    assert applied('<p id="a"></p>', frame) == '<p id="a"><i id="b">x</i></p>'


def test_preserved_element_takes_the_place_of_its_namesake() -> None:
    page = '<div id="a"><p id="kept">old</p></div>'
    new = '<div id="a" hx-swap-oob="true"><h1>x</h1><p id="kept" hx-preserve></p></div>'
    assert applied(page, new) == '<div id="a"><h1>x</h1><p id="kept">old</p></div>'


def test_preserved_element_that_is_not_there_yet_comes_from_the_frame() -> None:
    new = '<div id="a" hx-swap-oob="true"><p id="kept" hx-preserve>new</p></div>'
    assert "new" in applied('<div id="a"></div>', new)


def test_piece_without_a_target_is_kept_as_a_stray() -> None:
    page = Page('<p id="a"></p>')
    page.apply('<b hx-swap-oob="beforeend:#gone">x</b>')
    assert page.strays == ["beforeend:#gone"]
    assert page.root.inner_html == '<p id="a"></p>'


@pytest.mark.parametrize(
    "frame",
    [
        "text between pieces",
        '<div id="a"><p id="b" hx-swap-oob="true"></p></div>',
        '<div hx-swap-oob="beforeend:.log"></div>',
        '<div hx-swap-oob="morph:#a"></div>',
        "<div></div>",
        '<div id="a"><p></div>',
        '<div id="a">',
    ],
)
def test_frame_that_htmx_2_and_4_may_read_in_two_ways_is_an_error(frame: str) -> None:
    with pytest.raises(AssertionError):
        Page('<div id="a"></div>').apply(frame)


def log(content: str, around: str = "", attributes: str = "") -> Page:
    message = f'<div class="polly-message__content">{content}</div>'
    return Page(f'<div id="polly-log-1"{attributes}>{around}{message}</div>')


def test_logs_are_equal_whatever_the_space_around_messages() -> None:
    log("<p>a</p>", "\n  <b>x  y</b>\n").assert_equals(
        log("<p>a</p>", "<b>x y</b>"), "1"
    )


@pytest.mark.parametrize(
    "other",
    [
        log("<p>a </p>"),
        log("<p>a</p>\n"),
        log("<p title=''>a</p>"),
        log("<p>a</p>", "<b></b>"),
        log("<p>a</p>", "x"),
        log("<p>a</p>", attributes=" hidden"),
    ],
)
def test_logs_differ_by_a_space_inside_a_message_or_a_tag_outside(other: Page) -> None:
    with pytest.raises(AssertionError):
        log("<p>a</p>").assert_equals(other, "1")


def test_what_is_ignored_may_differ_in_messages_and_around_them() -> None:
    ignored = Ignored(classes={"tail"}, attributes={"id"})
    live = log('<p id="x">a<i class="tail">…</i></p>', '<b class="tail"></b>')
    fresh = log("<p>a</p>")
    fresh.root.children[0].attributes["id"] = "polly-log-1"
    live.assert_equals(fresh, "1", ignored)


def test_pages_that_missed_a_frame_are_never_equal() -> None:
    page = log("a")
    page.apply('<b hx-swap-oob="delete:#gone"></b>')
    with pytest.raises(AssertionError, match="gone"):
        page.assert_equals(log("a"), "1")


@pytest.mark.parametrize("html", ["<pre>\nx</pre>", "<textarea>\nx</textarea>"])
def test_first_newline_goes_where_a_browser_drops_it(html: str) -> None:
    assert parse(html).text == "x"


def test_entities_and_void_elements_are_read() -> None:
    root = parse('<p a="&amp;" b>&lt;<br>&quot;<img src=x></p>')
    assert root.inner_html == '<p a="&amp;" b="">&lt;<br>"<img src="x"></p>'


@pytest.mark.parametrize("entry", STREAM + XSS, ids=str)
def test_tree_is_the_one_that_a_browsers_parser_makes(entry: Entry) -> None:
    html = str(render(entry.text))
    assert normalised(parse(html).inner_html) == normalised(html)
