"""Pages in German, which is long, and in a language that runs from right to left."""

from __future__ import annotations

import gettext
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, expect

from polly_htmx.models import Parrot, SmartConversation
from scripts.messages import PACKAGE
from tests.browser.conftest import Tab
from tests.browser.test_chat import last_reply
from tests.chat.halves import retire
from tests.live import Site, scripted

pytestmark = [pytest.mark.browser, pytest.mark.live]

PHONE, DESK = 320, 1280
GERMAN = PACKAGE / "locale" / "de" / "LC_MESSAGES" / "django.mo"
WIDE = "() => document.documentElement.scrollWidth"
# What is ours and not whole: beyond the screen, or beyond what clips it. Titles of
# chats may end in an ellipsis, and what is for screen readers alone is clipped.
CUT = """() => {
    const seen = { visibilityProperty: true, opacityProperty: true };
    const clip = (at) => at.matches("[popover], body")
        ? document.documentElement
        : getComputedStyle(at.parentElement).overflowX === "visible"
            ? clip(at.parentElement) : at.parentElement;
    const beyond = (at) => {
        const [mine, room] = [at, clip(at)].map(each => each.getBoundingClientRect());
        return mine.left < room.left - 1 || mine.right > room.right + 1;
    };
    return [...document.body.querySelectorAll("*")]
        .filter(at => at.checkVisibility(seen) && at.getBoundingClientRect().width > 1)
        .filter(at => !at.closest(
            ".polly-sr, .polly-skip, .polly-bar__word, .polly-item__link, svg"))
        .filter(at => beyond(at)
            || at.matches("button, .polly-button") && at.scrollWidth > at.clientWidth + 1)
        .map(at => at.outerHTML.slice(0, 200)) }"""
# All that a reader can come upon, each as it stands alone.
WORDS = """() => {
    const found = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        if (!walk.currentNode.parentElement.closest("script, article > :not(footer)"))
            found.push(walk.currentNode.data.trim());
    }
    for (const at of document.body.querySelectorAll("*"))
        for (const { name, value } of at.attributes)
            if (/^(aria-label|title|placeholder|data-polly-(?!status|action).*)$/.test(name))
                found.push(value.trim());
    return found }"""


def untranslated() -> set[str]:
    """Return the English texts whose German is another one."""
    with GERMAN.open("rb") as file:
        catalogue: dict[Any, str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {
        text for text, said in catalogue.items() if text and text not in ("", said)
    } - set(catalogue.values())


def look(tab: Tab, name: str, english: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    """Fail if in either width something is cut, too wide, or English."""
    for width in (DESK, PHONE):
        tab.page.set_viewport_size({"width": width, "height": 700})
        tab.page.wait_for_timeout(100)  # The layout settles.
        if folder := os.environ.get("POLLY_LANGUAGE_PICTURES"):
            path = Path(folder) / f"{name}-{width}.png"
            tab.page.screenshot(path=path, caret="initial")
        assert tab.page.evaluate(WIDE) <= width, name
        assert (name, width, tab.page.evaluate(CUT)) == (name, width, [])
    assert (name, english.intersection(tab.page.evaluate(WORDS))) == (name, set())


@pytest.fixture
def chats(chat: SmartConversation, somebody: User) -> list[SmartConversation]:
    """Let there be some chats of other Parrots, named in the reader's language."""
    other = Parrot.objects.create(name="Donaudampfschifffahrtspapagei", model="DUMMY")
    return [chat] + [
        SmartConversation.objects.create(parrot=other, user=somebody, title=title)
        for title in ("Kunststücke für Anfängerinnen und Anfänger", "Futter")
    ]


def button(tab: Tab, name: str) -> Locator:
    return tab.page.get_by_role("button", name=name, exact=True)


def say(tab: Tab, text: str) -> None:
    box = tab.page.locator(".polly-composer__text")
    box.fill(text)
    box.press("Enter")


def test_pages_and_frames_are_german_and_whole(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    somebody: User,
    chats: list[SmartConversation],
) -> None:
    site = start_site(**scripted(text="Guten Tag. " * 30))
    tab = open_tab(site, somebody, locale="de-DE", color_scheme="light")
    english = untranslated()
    assert "Send" in english
    tab.open("/polly/")
    expect(tab.page.locator("html")).to_have_attribute("lang", "de")
    look(tab, "de-list", english)
    tab.open_chat(chats[0])
    look(tab, "de-empty", english)
    tab.page.get_by_role("button", name="Tastenkürzel").click()
    look(tab, "de-keys", english)
    tab.page.keyboard.press("Escape")
    say(tab, "Hallo")
    expect(last_reply(tab)).to_have_attribute("data-status", "complete")
    status = tab.page.locator(".polly-chat__status")
    expect(status).to_have_text("Polly hat geantwortet.")
    button(tab, "Schlechte Antwort").click()
    button(tab, "Kommentieren").wait_for()
    tab.page.locator("article .polly-about > summary").click()
    tab.page.get_by_text("Beantwortet von").wait_for()
    look(tab, "de-answered", english)
    button(tab, "Bearbeiten").click()
    tab.page.get_by_label("Nachricht bearbeiten").wait_for()
    look(tab, "de-edit", english)
    tab.assert_clean()


def test_refusals_are_german_and_whole(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    somebody: User,
    chats: list[SmartConversation],
) -> None:
    site = start_site(MESSAGES_PER_MINUTE=1, **scripted(fault="unavailable"))
    tab = open_tab(site, somebody, locale="de-DE", color_scheme="light")
    english = untranslated()
    tab.open_chat(chats[0])
    say(tab, "Hallo")
    expect(last_reply(tab)).to_have_attribute("data-status", "failed")
    look(tab, "de-failed", english)
    say(tab, "Noch einmal")
    expect(tab.page.get_by_role("alert")).to_contain_text("Das waren viele Nachrichten")
    look(tab, "de-limit", english)
    retire(chats[0].parrot)
    tab.open_chat(chats[0])
    look(tab, "de-retired", english)
    tab.assert_clean()


def test_queue_and_failure_are_german_and_whole(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    somebody: User,
    chats: list[SmartConversation],
) -> None:
    site = start_site(**scripted(text="Wort " * 4000, pace=0.1))
    tab = open_tab(site, somebody, locale="de-DE", color_scheme="light")
    english = untranslated()
    tab.open_chat(chats[0])
    say(tab, "Hallo")
    button(tab, "Stopp").wait_for()
    say(tab, "Danach")
    tab.page.get_by_text("Wird gesendet, sobald").wait_for()
    look(tab, "de-queue", english)
    button(tab, "Stopp").click()
    tab.page.get_by_text("Noch nicht gesendet").wait_for()
    look(tab, "de-held", english)
    button(tab, "Zurücknehmen").click()
    expect(tab.page.get_by_text("Noch nicht gesendet")).to_have_count(0)
    row = tab.page.locator(f"#polly-item-{chats[1].external_id}")
    tab.page.set_viewport_size({"width": DESK, "height": 700})
    row.locator("summary").click()
    look(tab, "de-options", english)
    tab.page.set_viewport_size({"width": DESK, "height": 700})
    row.get_by_role("button", name="Löschen").click()
    button(tab, "Rückgängig").wait_for()
    look(tab, "de-deleted", english)
    tab.assert_clean()


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_all_is_mirrored_where_text_runs_from_right_to_left(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    somebody: User,
    chats: list[SmartConversation],
    width: int,
) -> None:
    site = start_site(**scripted(text="مرحبا، أنا ببغاء. " * 20))
    tab = open_tab(site, somebody, locale="ar", color_scheme="light")
    tab.page.set_viewport_size({"width": width, "height": 700})
    tab.open_chat(chats[0])
    expect(tab.page.locator("html")).to_have_attribute("dir", "rtl")
    say(tab, "مرحبا")
    expect(last_reply(tab)).to_have_attribute("data-status", "complete")
    look(tab, f"ar-chat-{width}")
    tab.page.set_viewport_size({"width": width, "height": 700})

    def left(selector: str) -> float:
        box = tab.page.locator(selector).first.bounding_box()
        assert box is not None
        return box["x"]

    assert left(".polly-composer__send") < left(".polly-composer__text")
    assert left(".polly-message__time") < left(".polly-message__author")
    if width == PHONE:
        tab.page.locator(".polly-bar__side").click()
    side = tab.page.locator(".polly-side").bounding_box()
    assert side is not None
    assert side["x"] + side["width"] == pytest.approx(width, abs=1)
    if width == DESK:
        assert left(".polly-page__main") < side["x"]
    tab.page.locator(".polly-item__more > summary").first.click()
    look(tab, f"ar-side-{width}")
    tab.open("/polly/")
    look(tab, f"ar-list-{width}")
    tab.assert_clean()
