"""Keys and focus: shortcuts in a dialog, and a focus that survives what is swapped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, expect

from polly_htmx.models import SmartConversation
from tests.browser.conftest import Tab
from tests.browser.test_chat import box, last_reply
from tests.browser.test_composer import waiting
from tests.browser.test_replies import button
from tests.live import scripted

pytestmark = [pytest.mark.browser, pytest.mark.live]
both_versions = pytest.mark.parametrize("version", [2, 4])

SMALL = """() => [...document.querySelectorAll("button, a, input, textarea, summary")]
    .filter((each) => each.checkVisibility() && !each.matches(".polly-skip, [type=checkbox]"))
    .map((each) => [each.outerHTML.slice(0, 120), each.getBoundingClientRect()])
    .filter(([, box]) => box.width < 24 || box.height < 24)
    .map(([html]) => html)"""


def keys(tab: Tab) -> Locator:
    return tab.page.get_by_role("dialog", name="Keyboard shortcuts")


@pytest.fixture
def tab(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
) -> Tab:
    site = start_site(**scripted(text="word " * 60, pace=0.05))
    tab: Tab = open_tab(site, somebody)
    tab.open_chat(chat)
    return tab


def test_question_mark_opens_the_shortcuts_unless_one_types(tab: Tab) -> None:
    expect(keys(tab)).to_be_hidden()
    tab.page.keyboard.press("?")
    expect(keys(tab)).to_be_visible()
    expect(keys(tab)).to_contain_text("Start a new line")
    tab.page.keyboard.press("Escape")
    expect(keys(tab)).to_be_hidden()
    box(tab).focus()
    tab.page.keyboard.type("What?")
    expect(keys(tab)).to_be_hidden()
    expect(box(tab)).to_have_value("What?")
    tab.page.get_by_role("log").focus()
    tab.page.keyboard.press("?")
    expect(keys(tab)).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(tab.page.get_by_role("log")).to_be_focused()
    tab.assert_clean()


def test_shortcuts_have_a_button_and_give_the_focus_back(tab: Tab) -> None:
    opener = button(tab, "Keyboard shortcuts")
    opener.focus()
    tab.page.keyboard.press("Enter")
    expect(keys(tab)).to_be_visible()
    assert tab.page.evaluate("document.activeElement.closest('dialog') !== null")
    button(tab, "Close").press("Enter")
    expect(keys(tab)).to_be_hidden()
    expect(opener).to_be_focused()


def test_the_single_key_can_be_turned_off_and_stays_so(
    tab: Tab, chat: SmartConversation
) -> None:
    tab.page.keyboard.press("?")
    keys(tab).get_by_role("checkbox").uncheck()
    tab.page.keyboard.press("Escape")
    for _ in range(2):
        tab.page.get_by_role("log").focus()
        tab.page.keyboard.press("?")
        expect(keys(tab)).to_be_hidden()
        tab.open_chat(chat)
    button(tab, "Keyboard shortcuts").click()
    expect(keys(tab).get_by_role("checkbox")).not_to_be_checked()


def test_everything_is_large_enough_to_hit(tab: Tab) -> None:
    tab.page.set_viewport_size({"width": 320, "height": 700})
    assert tab.page.evaluate(SMALL) == []
    tab.send("Hello")
    expect(last_reply(tab)).to_contain_text("word")
    tab.send("And")
    expect(waiting(tab)).to_have_count(1)
    assert tab.page.evaluate(SMALL) == []


@both_versions
def test_focus_survives_what_is_swapped_under_it(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    site = start_site(HTMX_VERSION=version, **scripted(text="word " * 40, pace=0.05))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    tab.send("Hello")
    expect(last_reply(tab)).to_contain_text("word")
    for text in ("Second", "Third"):
        tab.send(text)
        expect(waiting(tab).last).to_contain_text(text)
    # The first goes, and the list is drawn anew below the focus.
    third = button(tab, "Take back").last
    third.focus()
    name = third.get_attribute("id")
    expect(waiting(tab)).to_have_count(1)
    expect(tab.page.locator(f"#{name}")).to_be_focused()
    # It goes itself: then the composer has it.
    expect(waiting(tab)).to_have_count(0)
    expect(box(tab)).to_be_focused()
    # The button that stops goes with the answer it stops.
    stop = button(tab, "Stop")
    stop.focus()
    expect(stop).to_have_count(0)
    expect(box(tab)).to_be_focused()
    tab.assert_clean()
