"""The states of a chat, each in its own words, and the way back from each."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from polly_htmx.models import Parrot, SmartConversation
from tests.browser.test_chat import box, last_reply
from tests.browser.test_messages import say
from tests.browser.test_replies import button
from tests.browser.test_traces import STORED
from tests.chat.halves import retire
from tests.live import scripted

pytestmark = [pytest.mark.browser, pytest.mark.live]
both_versions = pytest.mark.parametrize("version", [2, 4])


@both_versions
def test_who_signs_in_again_finds_the_same_draft(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    site = start_site(HTMX_VERSION=version, **scripted(text="Fine."))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    box(tab).fill("Before")
    Session.objects.all().delete()
    refused = tab.page.locator(".polly-refused")
    expect(refused).to_contain_text("sign in")
    box(tab).fill("Before and after")
    expect(button(tab, "Send")).to_be_hidden()
    refused.get_by_role("link", name="Sign in").click()
    tab.page.get_by_label("Username").fill("someone")
    tab.page.get_by_label("Password").fill("pw")
    tab.page.get_by_role("button", name="Sign in").click()
    expect(box(tab)).to_have_value("Before and after")
    tab.eventually(lambda: len(tab.sockets) > 1)
    box(tab).press("Enter")
    expect(last_reply(tab)).to_have_attribute("data-status", "complete")
    assert not tab.violations


def test_text_typed_while_signed_out_is_not_left_to_who_comes_next(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
) -> None:
    User.objects.create_user("another", password="pw")
    tab = open_tab(start_site(**scripted(text="Fine.")), somebody)
    tab.open_chat(chat)
    Session.objects.all().delete()
    refused = tab.page.locator(".polly-refused")
    expect(refused).to_contain_text("sign in")
    box(tab).fill("SECRET")
    refused.get_by_role("link", name="Sign in").click()
    tab.page.get_by_label("Username").fill("another")
    assert "SECRET" in tab.page.evaluate(STORED)
    tab.page.get_by_label("Password").fill("pw")
    tab.page.get_by_role("button", name="Sign in").click()
    expect(tab.page.get_by_text("Not Found").first).to_be_visible()
    tab.open("/polly/")
    expect(tab.page.get_by_role("heading", level=1)).to_be_visible()
    assert "SECRET" not in tab.page.evaluate(STORED)


@both_versions
def test_lost_line_is_told_and_so_is_its_return(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    site = start_site(HTMX_VERSION=version, **scripted(text="Fine."))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    box(tab).fill("Typed")
    box(tab).focus()
    site.kill(signal.SIGKILL)
    status = tab.page.get_by_role("status")
    expect(status).to_contain_text("connection is lost")
    site.start()
    expect(status).to_have_text("The connection is back.", timeout=60_000)
    expect(box(tab)).to_have_value("Typed")
    expect(box(tab)).to_be_focused()


@both_versions
def test_tries_to_reconnect_are_never_far_apart(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    tab = open_tab(start_site(HTMX_VERSION=version), somebody)
    tab.open_chat(chat)
    wait = "htmx.config.ws?.reconnectMaxDelay ?? htmx.config.wsReconnectDelay(50)"
    assert tab.page.evaluate(wait) <= 8000
    if version == 2:
        waits = "Array.from({length: 200}, () => htmx.config.wsReconnectDelay(50))"
        assert 4000 < max(tab.page.evaluate(waits)) <= 8000


def test_retired_parrot_says_so_and_leads_on(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
) -> None:
    Parrot.objects.create(name="Molly", model="SCRIPTED")
    say(chat, "Hi", "Good day.")
    site = start_site(**scripted(text="Fine."))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    expect(button(tab, "Regenerate")).to_be_visible()
    expect(button(tab, "Edit")).to_be_visible()
    retire(chat.parrot)
    tab.send("Hello")
    expect(tab.page.get_by_role("alert")).to_contain_text("has retired")
    expect(box(tab)).to_have_value("Hello")
    tab.open_chat(chat)
    expect(tab.page.locator(".polly-retired")).to_contain_text("Polly has retired")
    expect(box(tab)).to_be_hidden()
    # What would be refused is not offered.
    expect(button(tab, "Copy").first).to_be_visible()
    for name in ("Regenerate", "Edit"):
        expect(button(tab, name)).to_have_count(0)
    tab.page.get_by_role("link", name="Start a new chat").click()
    expect(tab.page.get_by_text("Who would you like to talk to?")).to_be_visible()
    tab.assert_clean()


def test_limit_says_when_to_come_back(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
) -> None:
    site = start_site(MESSAGES_PER_MINUTE=1, **scripted(text="Fine."))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    tab.send("One")
    expect(last_reply(tab)).to_have_attribute("data-status", "complete")
    tab.send("Two")
    expect(tab.page.get_by_role("alert")).to_contain_text("seconds")
    expect(box(tab)).to_have_value("Two")


def test_placeholder_is_whole_on_a_phone_while_stop_stands_there(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
) -> None:
    site = start_site(**scripted(text="word " * 400, pace=0.05))
    tab = open_tab(site, somebody)
    tab.page.set_viewport_size({"width": 320, "height": 700})
    tab.open_chat(chat)
    tab.send("Hello")
    expect(button(tab, "Stop")).to_be_visible()
    expect(box(tab)).to_have_value("")
    fits = "text => text.scrollWidth <= text.clientWidth"
    assert box(tab).evaluate(fits)
    room = """text => { const style = getComputedStyle(text);
        const canvas = document.createElement("canvas").getContext("2d");
        canvas.font = style.font;
        const inner = text.clientWidth - parseFloat(style.paddingLeft) * 2;
        return inner - canvas.measureText(text.placeholder).width }"""
    assert box(tab).evaluate(room) >= 0
