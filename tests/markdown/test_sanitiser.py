"""The second lock holds by itself, whatever the renderer lets through."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.utils.safestring import SafeString
from pytest_django import Settings

from polly_htmx.markdown import clean_text, render
from polly_htmx.markdown.sanitiser import sanitise
from tests.corpus import XSS, Entry
from tests.oracle import assert_inert, parsed

SMALL = [entry for entry in XSS if len(entry.text) < 5_000]


@pytest.mark.parametrize("entry", SMALL, ids=str)
def test_raw_payload_is_made_inert(entry: Entry) -> None:
    assert_inert(sanitise(clean_text(entry.text)))


@pytest.mark.parametrize(
    ("html", "clean"),
    [
        ('<p id="a" style="b" name="c" title="d" class="e">f</p>', "<p>f</p>"),
        ('<p class="polly-plain x">a</p>', '<p class="polly-plain">a</p>'),
        ('<p class="polly-code">a</p>', "<p>a</p>"),
        ('<div tabindex="1" role="alert">a</div>', "<div>a</div>"),
        ('<code class="language-c++">a</code>', '<code class="language-c++">a</code>'),
        ('<code class="language-a b">a</code>', "<code>a</code>"),
        ('<code class="polly-code">a</code>', "<code>a</code>"),
        ('<ol start="3x"></ol>', "<ol></ol>"),
        ('<ol start="3"></ol>', '<ol start="3"></ol>'),
        ("<svg><p>a</p></svg>", "<p>a</p>"),
        ("<span class='polly-hl-string'>a</span>", '<span class="polly-hl-string">a</span>'),
        ("<span class='polly-hl-x'>a</span>", "<span>a</span>"),
    ],
)  # fmt: skip
def test_only_what_is_listed_stays(html: str, clean: str) -> None:
    assert sanitise(html).replace(' class=""', "") == clean


@pytest.mark.parametrize(
    "url",
    ["javascript:x", "//a.example", "/a", "a", "?a", "#a", "ftp://a.b", "https:a",
     "https:/a", "https:///a", "https:\\\\a", "tel:1", "data:,a", "\x01javascript:x"],
)  # fmt: skip
def test_other_addresses_are_no_links(url: str) -> None:
    html = sanitise(f'<a href="{url}">a</a>')
    assert [link.get("href") for link in parsed(html).iter("a")] == [None]


def test_result_is_marked_safe() -> None:
    assert isinstance(sanitise("<p>a</p>"), SafeString)


@pytest.mark.parametrize(
    ("url", "loads"),
    [
        ("https://img.example/a.png", True),
        ("https://IMG.example/a.png", True),
        ("http://img.example/a.png", False),
        ("https://sub.img.example/a.png", False),
        ("https://img.example.evil.example/a.png", False),
        ("https://img.example@evil.example/a.png", False),
        ("https://user@img.example/a.png", False),
        ("https://img.example:8443/a.png", False),
        ("//img.example/a.png", False),
        ("https://img.example\\@evil.example/a.png", False),
        ("https://[img.example/a.png", False),
    ],
)
def test_images_load_from_listed_hosts_only(
    url: str, loads: bool, settings: Settings
) -> None:
    settings.POLLY = {"IMAGE_HOSTS": ["img.example"]}
    html = render(f'![alt]({url} "title")')
    assert ("<img" in html) is loads
    assert "alt" in html
    assert_inert(html, image_hosts=frozenset({"img.example"}))


def test_no_image_loads_unless_a_host_is_listed() -> None:
    html = render("![*some* text](https://a.example/b.png)")
    (link,) = parsed(html).iter("a")
    assert (link.text, link.get("href")) == ("some text", "https://a.example/b.png")


def test_image_without_text_shows_its_address() -> None:
    assert ">https://a.example/b.png</a>" in render("![](https://a.example/b.png)")


def test_image_in_a_link_becomes_its_text() -> None:
    html = render("[![a](https://b.example/c.png)](https://d.example)")
    (link,) = parsed(html).iter("a")
    assert (link.text, link.get("href")) == ("a", "https://d.example")


def test_threads_may_render_at_once() -> None:
    text = "*a* [b](https://c.example)\n\n```py\nreturn 1\n```\n"
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(render, [text] * 200))) == 1
