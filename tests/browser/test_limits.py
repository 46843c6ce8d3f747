"""What the page says when a message may not have reached the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Route, expect

from polly_htmx.models import Message, Parrot, SmartConversation
from tests.browser.conftest import Tab
from tests.live import scripted

pytestmark = [pytest.mark.browser, pytest.mark.live]
both_versions = pytest.mark.parametrize("version", [2, 4])

SMALL = ("--websocket-max-message-size", "65536")
UNSURE = "may not have arrived"


def box(tab: Tab) -> Any:
    return tab.page.get_by_label("Message", exact=True).first


@both_versions
def test_text_over_the_servers_frame_limit_is_kept_and_the_page_says_so(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    site = start_site(*SMALL, HTMX_VERSION=version, **scripted(text="Fine."))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    text = "x" * 70_000
    box(tab).fill(text)
    box(tab).press("Enter")
    tab.eventually(lambda: len(tab.sockets) > 1)
    expect(tab.page.get_by_role("alert")).to_contain_text(UNSURE)
    expect(box(tab)).to_have_value(text)
    tab.send("Short enough")
    expect(tab.page.locator('article[data-status="complete"]')).to_have_count(2)
    expect(tab.page.get_by_role("alert")).to_be_empty()
    expect(box(tab)).to_have_value("")
    assert Message.objects.filter(party="USER").count() == 1
    assert len(tab.sockets) == 2
    tab.assert_clean()


@both_versions
@pytest.mark.parametrize("failure", ["500", "403", "lost"])
def test_first_message_that_fails_is_kept_and_the_page_says_so(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    version: int,
    failure: str,
) -> None:
    Parrot.objects.create(name="Polly", model="SCRIPTED")
    site = start_site(HTMX_VERSION=version, **scripted(text="Fine."))
    tab = open_tab(site, somebody)
    tab.open("/host/")

    def fail(route: Route) -> None:
        if failure == "lost":
            route.abort("connectionreset")
        else:
            route.fulfill(status=int(failure), body="<p>Oops</p>")

    tab.page.route("**/send/", fail)
    one = tab.page.locator(".polly-chat").first
    box(tab).fill("Hello")
    box(tab).press("Enter")
    expect(one.get_by_role("alert")).to_contain_text(UNSURE)
    expect(box(tab)).to_have_value("Hello")
    expect(tab.page.locator(".polly-chat").last.get_by_role("alert")).to_be_empty()
    assert "Oops" not in tab.page.content()
    tab.page.unroute("**/send/")
    box(tab).press("Enter")
    expect(one.locator('article[data-status="complete"]')).to_have_count(2)
    expect(one.get_by_role("alert")).to_be_empty()
    expect(box(tab)).to_have_value("")
    assert Message.objects.filter(party="USER").count() == 1


@both_versions
def test_lost_line_says_nothing_of_a_message_that_has_arrived_or_was_refused(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    site = start_site(HTMX_VERSION=version, **scripted(text="Fine."))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    tab.send("Hello")
    expect(tab.page.locator('article[data-status="complete"]')).to_have_count(2)
    lose_the_line_for_a_while(tab, chat, "First")
    expect(tab.page.get_by_role("alert")).to_be_empty()
    tab.send("   ")
    expect(tab.page.get_by_role("alert")).to_contain_text("write a message")
    lose_the_line_for_a_while(tab, chat, "Second")
    expect(tab.page.get_by_role("alert")).to_contain_text("write a message")


def lose_the_line_for_a_while(tab: Tab, chat: SmartConversation, text: str) -> None:
    """Return when a page is back on the line that has been away from it."""
    tab.site.kill()
    Message.objects.create(conversation=chat, party="USER", content=text)
    tab.site.start()
    expect(tab.page.get_by_role("log")).to_contain_text(text)
