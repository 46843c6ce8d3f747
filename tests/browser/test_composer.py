"""The composer: what waits, what is kept, and what an empty chat offers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, expect

from polly_htmx.models import Draft, Message, Parrot, QueuedMessage, SmartConversation
from tests.browser.conftest import Tab
from tests.browser.test_chat import box, last_reply
from tests.browser.test_replies import button
from tests.live import scripted

pytestmark = [pytest.mark.browser, pytest.mark.live]
both_versions = pytest.mark.parametrize("version", [2, 4])

LONG = "word " * 2000
SHORT = "These are some words. "


def waiting(tab: Tab) -> Locator:
    return tab.page.get_by_role("group", name="Waiting messages").get_by_role(
        "listitem"
    )


def questions(tab: Tab) -> Locator:
    return tab.page.locator('article[data-party="USER"] .polly-message__content')


@both_versions
def test_messages_wait_for_the_answer_and_go_in_order_in_every_tab(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    script = scripted(answers=[SHORT * 60, SHORT, SHORT], pace=0.05)
    site = start_site(HTMX_VERSION=version, **script)
    one, two = open_tab(site, somebody), open_tab(site, somebody)
    for tab in (one, two):
        tab.open_chat(chat)
    one.send("First")
    expect(last_reply(one)).to_contain_text("These are")
    for text in ("Second", "Third"):
        one.send(text)
        expect(box(one)).to_have_value("")
        expect(waiting(one).last).to_contain_text(text)
    expect(one.page.get_by_role("status")).to_contain_text("waits until the answer")
    expect(waiting(two)).to_have_count(2)
    late = open_tab(site, somebody)
    late.open_chat(chat)
    expect(waiting(late)).to_have_count(2)
    for tab in (one, two, late):
        expect(questions(tab)).to_have_text(
            ["First", "Second", "Third"], timeout=30_000
        )
        expect(last_reply(tab)).to_have_attribute(
            "data-status", "complete", timeout=30_000
        )
        expect(waiting(tab)).to_have_count(0)
        tab.assert_equals_fresh(chat)
        tab.assert_clean()
    assert Message.objects.filter(party="USER").count() == 3


@both_versions
def test_waiting_message_is_taken_back_into_the_composer(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    site = start_site(HTMX_VERSION=version, **scripted(text=LONG, pace=0.05))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    tab.send("First")
    expect(last_reply(tab)).to_contain_text("word")
    for text in ("Second", "Third"):
        tab.send(text)
        expect(waiting(tab).last).to_contain_text(text)
    button(tab, "Take back").last.click()
    expect(waiting(tab)).to_have_count(1)
    expect(box(tab)).to_have_value("Third")
    expect(box(tab)).to_be_focused()
    # Where the composer holds something, the text is offered.
    button(tab, "Take back").click()
    expect(waiting(tab)).to_have_count(0)
    expect(box(tab)).to_have_value("Third")
    button(tab, "Put it into the message").click()
    expect(box(tab)).to_have_value("Third\n\nSecond")
    expect(button(tab, "Put it into the message")).to_have_count(0)
    assert not QueuedMessage.objects.exists()
    tab.assert_clean()


@both_versions
def test_stop_holds_the_queue_until_somebody_sends_it(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    site = start_site(HTMX_VERSION=version, **scripted(text=LONG, pace=0.05))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    tab.send("First")
    expect(last_reply(tab)).to_contain_text("word")
    tab.send("Second")
    expect(waiting(tab)).to_have_count(1)
    button(tab, "Stop").click()
    expect(last_reply(tab)).to_have_attribute("data-status", "stopped")
    region = tab.page.get_by_role("group", name="Waiting messages")
    expect(region).to_contain_text("Not sent yet")
    button(tab, "Send now").click()
    expect(questions(tab)).to_have_text(["First", "Second"])
    expect(waiting(tab)).to_have_count(0)
    expect(box(tab)).to_be_focused()
    tab.assert_clean()


def test_queue_that_is_full_keeps_the_text(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
) -> None:
    site = start_site(MAX_QUEUED=1, **scripted(text=LONG, pace=0.05))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    tab.send("First")
    expect(last_reply(tab)).to_contain_text("word")
    tab.send("Second")
    expect(waiting(tab)).to_have_count(1)
    tab.send("Third")
    expect(tab.page.get_by_role("alert")).to_contain_text("waiting already")
    expect(box(tab)).to_have_value("Third")


def test_queue_works_without_javascript(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
) -> None:
    site = start_site(**scripted(text=LONG, pace=0.1))
    tab = open_tab(site, somebody, java_script_enabled=False)
    tab.open(chat.get_absolute_url())
    for text in ("First", "Second"):
        box(tab).fill(text)
        button(tab, "Send").click()
    expect(waiting(tab)).to_contain_text(["Second"])
    button(tab, "Take back").click()
    expect(waiting(tab)).to_have_count(0)
    expect(box(tab)).to_have_value("Second")


@both_versions
def test_draft_is_there_after_a_reload_and_on_another_device(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    site = start_site(HTMX_VERSION=version, **scripted(text=SHORT))
    tab, other = open_tab(site, somebody), open_tab(site, somebody)
    tab.open_chat(chat)
    with tab.page.expect_response("**/draft/") as told:
        box(tab).press_sequentially("Half a thought")
    assert told.value.status == 204
    tab.eventually(lambda: Draft.objects.filter(text="Half a thought").exists())
    for each in (tab, other):
        each.open_chat(chat)
        expect(box(each)).to_have_value("Half a thought")
    box(other).press("Enter")
    expect(last_reply(other)).to_have_attribute("data-status", "complete")
    expect(box(other)).to_have_value("")
    # Sent from both it is one message.
    box(tab).press("Enter")
    expect(box(tab)).to_have_value("")
    other.open_chat(chat)
    expect(box(other)).to_have_value("")
    assert Message.objects.filter(party="USER").count() == 1
    for each in (tab, other):
        each.assert_clean()


@both_versions
def test_draft_is_kept_in_a_hosts_chat_once_there_is_a_conversation(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    version: int,
) -> None:
    Parrot.objects.create(name="Polly", model="SCRIPTED")
    site = start_site(HTMX_VERSION=version, **scripted(text=SHORT))
    tab = open_tab(site, somebody)
    tab.open("/host/")
    first = tab.page.locator(".polly-chat").first
    text = first.get_by_label("Message", exact=True)
    text.fill("Hello")
    text.press("Enter")
    reply = first.locator('article[data-party="ASSISTANT"]')
    expect(reply).to_have_attribute("data-status", "complete")
    with tab.page.expect_response("**/draft/"):
        text.press_sequentially("And")
    tab.open("/host/")
    expect(text).to_have_value("And")
    tab.assert_clean()


@both_versions
def test_empty_chat_greets_and_a_starter_sends_its_text(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    Parrot.objects.update(
        greeting="**Ahoy!** <b>Ask</b> me.", starters=["What's up?", "<i>Sing</i>"]
    )
    site = start_site(HTMX_VERSION=version, **scripted(text=SHORT))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    log = tab.page.get_by_role("log")
    expect(log.locator("strong")).to_have_text("Ahoy!")
    expect(log).to_contain_text("<b>Ask</b> me.")
    box(tab).fill("Typed")
    expect(button(tab, "What's up?")).to_be_hidden()
    box(tab).fill("")
    button(tab, "<i>Sing</i>").click()
    expect(questions(tab)).to_have_text(["<i>Sing</i>"])
    expect(last_reply(tab)).to_have_attribute("data-status", "complete")
    expect(box(tab)).to_have_value("")
    expect(button(tab, "What's up?")).to_be_hidden()
    tab.assert_equals_fresh(chat)
    tab.assert_clean()


@both_versions
def test_starter_begins_a_hosts_chat(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    version: int,
) -> None:
    Parrot.objects.create(name="Polly", model="SCRIPTED", starters=["What's up?"])
    site = start_site(HTMX_VERSION=version, **scripted(text=SHORT))
    tab = open_tab(site, somebody)
    tab.open("/host/")
    button(tab, "What's up?").first.click()
    expect(questions(tab)).to_have_text(["What's up?"])
    expect(last_reply(tab)).to_have_attribute("data-status", "complete")
    tab.assert_clean()


def test_starter_works_without_javascript(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
) -> None:
    Parrot.objects.update(starters=["What's up?"])
    site = start_site(**scripted(text=SHORT))
    tab = open_tab(site, somebody, java_script_enabled=False)
    tab.open(chat.get_absolute_url())
    button(tab, "What's up?").click()
    expect(questions(tab)).to_have_text(["What's up?"])


@pytest.mark.parametrize("sign", [{"isComposing": True}, {"keyCode": 229}])
def test_enter_that_ends_a_composition_sends_nothing(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    sign: dict[str, Any],
) -> None:
    site = start_site(**scripted(text=SHORT))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    box(tab).fill("にほん")
    press = """(text, sign) => text.dispatchEvent(new KeyboardEvent("keydown",
        { key: "Enter", bubbles: true, cancelable: true, ...sign }))"""
    assert box(tab).evaluate(press, sign)
    expect(box(tab)).to_have_value("にほん")
    assert not box(tab).evaluate(press, {})
    expect(questions(tab)).to_have_text(["にほん"])


def test_limit_is_told_before_it_bites(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
) -> None:
    site = start_site(MAX_MESSAGE_CHARS=20, **scripted(text=SHORT))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    count = tab.page.locator("[data-polly-count]")
    box(tab).fill("x" * 17)
    expect(count).to_be_hidden()
    box(tab).fill("x" * 18)
    expect(count).to_have_text("18 of 20 characters")
    box(tab).fill("x" * 21)
    expect(count).to_have_attribute("data-polly-over", "")
