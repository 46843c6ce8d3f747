"""The list in the browser, under both versions of htmx, with keys and small screens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, expect

from polly_htmx.models import Message, SmartConversation
from tests.browser.conftest import Tab
from tests.live import Site, scripted

pytestmark = [pytest.mark.browser, pytest.mark.live]

PHONE = {"width": 320, "height": 640}


@pytest.fixture(params=[2, 4])
def site(request: pytest.FixtureRequest, start_site: Callable[..., Site]) -> Site:
    return start_site(**scripted(text="An answer"), HTMX_VERSION=request.param)


@pytest.fixture
def other(chat: SmartConversation) -> SmartConversation:
    return SmartConversation.objects.create(
        parrot=chat.parrot, user=chat.user, title="Another chat"
    )


def side(tab: Tab) -> Locator:
    return tab.page.get_by_role("complementary", name="Conversations")


def options(tab: Tab, chat: SmartConversation) -> Locator:
    row = tab.page.locator(f"#polly-item-{chat.external_id}")
    row.locator("summary").click()
    return row


def test_a_chat_is_renamed_in_place(
    site: Site,
    open_tab: Callable[..., Tab],
    chat: SmartConversation,
    other: SmartConversation,
    somebody: User,
) -> None:
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    options(tab, chat).get_by_role("button", name="Rename").click()
    expect(tab.page.get_by_role("textbox", name="Title")).to_be_focused()
    tab.page.keyboard.type("By hand")
    tab.page.keyboard.press("Enter")
    link = side(tab).get_by_role("link", name="By hand")
    expect(link).to_be_focused()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("By hand")
    options(tab, other).get_by_role("button", name="Rename").click()
    tab.page.get_by_role("button", name="Cancel").click()
    expect(side(tab).get_by_role("link", name="Another chat")).to_be_visible()
    tab.assert_clean()


def test_a_chat_is_deleted_and_taken_back(
    site: Site,
    open_tab: Callable[..., Tab],
    chat: SmartConversation,
    other: SmartConversation,
    somebody: User,
) -> None:
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    options(tab, other).get_by_role("button", name="Delete").click()
    undo = side(tab).get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    expect(tab.page.locator("#polly-list-status")).to_contain_text("was deleted")
    other.refresh_from_db()
    assert other.deleted_at is not None
    tab.page.keyboard.press("Enter")
    expect(side(tab).get_by_role("link", name="Another chat")).to_be_focused()
    # The chat that one looks at takes its page along.
    options(tab, chat).get_by_role("button", name="Delete").click()
    tab.page.wait_for_url("**/polly/?deleted=*")
    tab.page.get_by_role("button", name="Undo").click()
    tab.page.wait_for_url(f"**{chat.get_absolute_url()}")
    tab.assert_clean()


def test_pins_and_the_archive(
    site: Site,
    open_tab: Callable[..., Tab],
    chat: SmartConversation,
    other: SmartConversation,
    somebody: User,
) -> None:
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    options(tab, other).get_by_role("button", name="Pin").click()
    pinned = side(tab).get_by_role("region", name="Pinned")
    expect(pinned.get_by_role("link", name="Another chat")).to_be_visible()
    expect(pinned.locator("summary")).to_be_focused()
    tab.page.keyboard.press("Enter")
    expect(pinned.get_by_role("button", name="Unpin")).to_be_visible()
    pinned.get_by_role("button", name="Archive").click()
    said = side(tab).locator(".polly-item__said")
    expect(said).to_have_text("“Another chat” was archived.")
    side(tab).get_by_role("link", name="Archived chats").click()
    tab.page.get_by_role("button", name="Unarchive").click()
    expect(tab.page.get_by_role("button", name="Undo")).to_be_focused()
    other.refresh_from_db()
    assert other.archived_at is None
    tab.assert_clean()


def test_search_shows_what_it_finds_while_one_types(
    site: Site,
    open_tab: Callable[..., Tab],
    chat: SmartConversation,
    other: SmartConversation,
    somebody: User,
) -> None:
    Message.objects.create(conversation=chat, party="USER", content="A **needle**.")
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    search = side(tab).get_by_role("searchbox", name="Search chats")
    search.press_sequentially("needl")
    expect(side(tab).locator("mark")).to_have_text(["needle"] * 2)
    expect(tab.page.locator("#polly-list-status")).to_have_text("1 chat found")
    expect(search).to_be_focused()
    search.fill("")
    expect(side(tab).get_by_role("link", name="Another chat")).to_be_visible()
    tab.assert_clean()


def test_a_title_of_another_tab_shows_by_itself(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    chat: SmartConversation,
    other: SmartConversation,
    somebody: User,
) -> None:
    other.title = ""
    other.save()
    site = start_site(**scripted(text="Seeds and fruit"), TITLES=True)
    here, there = open_tab(site, somebody), open_tab(site, somebody)
    here.open_chat(chat)
    there.open_chat(other)
    there.send("Hello")
    for tab in (here, there):
        expect(side(tab).get_by_role("link", name="Seeds and fruit")).to_be_visible(
            timeout=30_000
        )
    expect(there.page.get_by_role("heading", level=1)).to_have_text("Seeds and fruit")
    for tab in (here, there):
        tab.assert_clean()


def test_the_drawer_opens_and_closes_by_keys(
    site: Site,
    open_tab: Callable[..., Tab],
    chat: SmartConversation,
    other: SmartConversation,
    somebody: User,
) -> None:
    tab = open_tab(site, somebody, viewport=PHONE)
    tab.open_chat(chat)
    drawer = tab.page.locator("#polly-side")
    expect(drawer).to_be_hidden()
    button = tab.page.get_by_role("button", name="Conversations")
    button.focus()
    tab.page.keyboard.press("Enter")
    expect(drawer).to_be_visible()
    expect(side(tab).get_by_role("button", name="New chat")).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(button).to_be_focused()
    wide: Any = tab.page.evaluate("() => document.scrollingElement.scrollWidth")
    assert wide <= PHONE["width"]


def test_a_long_list_scrolls_and_the_page_does_not(
    site: Site, open_tab: Callable[..., Tab], chat: SmartConversation, somebody: User
) -> None:
    for number in range(40):
        SmartConversation.objects.create(
            parrot=chat.parrot, user=somebody, title=f"Chat {number}"
        )
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    side(tab).get_by_role("link", name="Archived chats").scroll_into_view_if_needed()
    scrolled: Any = tab.page.evaluate(
        "() => document.querySelector('.polly-side__list').scrollTop"
    )
    assert scrolled > 0
    page = "() => document.scrollingElement"
    tall: Any = tab.page.evaluate(f"{page}.scrollHeight - innerHeight")
    assert tall <= 0
    assert tab.page.evaluate(f"{page}.scrollTop") == 0


def test_the_list_works_without_scripts(
    site: Site,
    open_tab: Callable[..., Tab],
    chat: SmartConversation,
    other: SmartConversation,
    somebody: User,
) -> None:
    tab = open_tab(site, somebody, java_script_enabled=False)
    tab.open(chat.get_absolute_url())
    options(tab, other).get_by_role("button", name="Rename").click()
    assert "csrf" not in tab.page.url
    tab.page.get_by_role("textbox", name="Title").fill("By hand")
    tab.page.get_by_role("button", name="Save").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("By hand")
    options(tab, other).get_by_role("button", name="Delete").click()
    tab.page.get_by_role("button", name="Undo").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("By hand")
