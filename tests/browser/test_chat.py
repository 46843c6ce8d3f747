"""A person's path through a chat, in a real browser, under both htmx versions."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, expect

from polly_htmx.chat.conversations import PAGE_SIZE
from polly_htmx.models import Message, Parrot, SmartConversation
from tests.browser.conftest import Tab
from tests.live import scripted

pytestmark = [pytest.mark.browser, pytest.mark.live]
both_versions = pytest.mark.parametrize("version", [2, 4])

AT_END = "log => log.scrollHeight - log.scrollTop - log.clientHeight < 40"
WORDS = "These are **words** that come one by one, with `code` in them."

WATCH = """() => {
  window.states = [];
  window.statuses = [];
  const log = document.querySelector("[role=log]");
  new MutationObserver(() => {
    const reply = [...log.querySelectorAll("[data-party=ASSISTANT]")].at(-1);
    window.states.push(reply?.textContent ?? "");
    window.statuses.push(reply?.dataset.status);
  }).observe(log, { childList: true, subtree: true, characterData: true });
}"""
"""Note each state of the newest answer: a busy machine may look too late itself."""


def last_reply(tab: Tab) -> Locator:
    return tab.page.locator('article[data-party="ASSISTANT"]').last


def box(tab: Tab) -> Locator:
    return tab.page.get_by_label("Message", exact=True)


@both_versions
def test_person_signs_in_asks_sees_words_arrive_and_the_same_after_a_reload(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    version: int,
) -> None:
    Parrot.objects.create(name="Polly", model="SCRIPTED")
    site = start_site(HTMX_VERSION=version, **scripted(text=WORDS, pace=0.08))
    tab = open_tab(site)
    tab.open("/polly/")
    tab.page.get_by_label("Username").fill("someone")
    tab.page.get_by_label("Password").fill("pw")
    tab.page.get_by_role("button", name="Sign in").click()
    tab.page.get_by_role("button", name="New chat").click()
    tab.page.evaluate(WATCH)
    tab.send("Hello there")
    expect(tab.page.locator('article[data-party="USER"]')).to_contain_text(
        "Hello there"
    )
    expect(last_reply(tab)).to_have_attribute("data-status", "complete")
    states = tab.page.evaluate("window.states")
    assert any("These are words" in s and "in them" not in s for s in states)
    assert "streaming" in tab.page.evaluate("window.statuses")
    expect(last_reply(tab)).to_contain_text("in them.")
    expect(box(tab)).to_have_value("")
    expect(box(tab)).to_be_focused()
    expect(tab.page.get_by_role("status")).to_have_text("Polly has answered.")
    tab.assert_equals_fresh(SmartConversation.objects.get())
    tab.assert_clean()


@both_versions
def test_second_tab_sees_the_same_live(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    site = start_site(HTMX_VERSION=version, **scripted(text=WORDS, pace=0.02))
    one, two = open_tab(site, somebody), open_tab(site, somebody)
    one.open_chat(chat)
    two.open_chat(chat)
    one.send("Hello")
    for tab in (one, two):
        expect(last_reply(tab)).to_have_attribute("data-status", "complete")
    for tab in (one, two):
        tab.assert_equals_fresh(chat)


@both_versions
@pytest.mark.parametrize(
    ("text", "words"), [("x" * 16_001, "at most 16000"), ("   ", "write a message")]
)
def test_refused_message_stays_in_the_composer(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
    text: str,
    words: str,
) -> None:
    site = start_site(HTMX_VERSION=version, **scripted(text=WORDS))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    tab.send(text)
    expect(tab.page.get_by_role("alert")).to_contain_text(words)
    expect(box(tab)).to_have_value(text)
    tab.send("Short enough")
    expect(last_reply(tab)).to_have_attribute("data-status", "complete")
    expect(tab.page.get_by_role("alert")).to_be_empty()
    expect(box(tab)).to_have_value("")
    tab.assert_equals_fresh(chat)


@pytest.mark.parametrize(
    ("fault", "words", "kept"),
    [
        ("rate-limited", "busy", ""),
        ("unavailable", "cannot be reached", ""),
        ("cut", "broke off", "These are"),
        ("empty", "empty answer", ""),
    ],
)
def test_fault_of_the_model_is_told_in_the_page(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    fault: str,
    words: str,
    kept: str,
) -> None:
    site = start_site(**scripted(text=WORDS, fault=fault))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    tab.send("Hello")
    expect(last_reply(tab)).to_have_attribute("data-status", "failed")
    expect(last_reply(tab)).to_contain_text(words)
    expect(last_reply(tab)).to_contain_text(kept)
    tab.assert_equals_fresh(chat)
    tab.assert_clean()


@both_versions
def test_page_comes_back_after_the_server_was_killed_in_mid_answer(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    site = start_site(
        HTMX_VERSION=version, REPLY_LEASE=3, **scripted(text="word " * 500, pace=0.02)
    )
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    tab.send("Hello")
    expect(last_reply(tab)).to_contain_text("word word word")
    reply = Message.objects.get(party="ASSISTANT")
    expect(last_reply(tab)).to_contain_text("word " * 100)  # a checkpoint is saved
    site.kill(signal.SIGKILL)
    box(tab).fill("Typed while the line was down")
    site.start()
    expect(last_reply(tab)).to_have_attribute("data-status", "interrupted")
    reply.refresh_from_db()
    assert reply.content.startswith("word word")
    expect(last_reply(tab)).to_contain_text("broke off")
    expect(box(tab)).to_have_value("Typed while the line was down")
    expect(tab.page.get_by_role("button", name="Continue")).to_be_visible()
    tab.assert_equals_fresh(chat)


@both_versions
@pytest.mark.parametrize("refusal", ["sign-in", "not-found"])
def test_refused_socket_is_told_and_not_tried_again(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
    refusal: str,
) -> None:
    site = start_site(HTMX_VERSION=version)
    tab = open_tab(site, somebody)
    tab.open(f"/refused/{refusal}/{chat.external_id}/")
    words = "sign in" if refusal == "sign-in" else "not found"
    expect(tab.page.locator(".polly-refused")).to_contain_text(words)
    # Both extensions would have tried several times by now.
    tab.page.wait_for_timeout(4_000)
    assert len(tab.sockets) == 1
    expect(box(tab)).to_be_visible()


def test_log_follows_the_answer_only_while_the_reader_is_at_its_end(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
) -> None:
    site = start_site(**scripted(text="A line.\n\n" * 120, pace=0.02))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    tab.send("Hello")
    log = tab.page.get_by_role("log")
    scrolls = "log => log.scrollHeight > log.clientHeight + 200"
    tab.eventually(lambda: log.evaluate(scrolls))
    tab.eventually(lambda: log.evaluate(AT_END))
    log.evaluate("log => { log.scrollTop = 0 }")
    newest = tab.page.get_by_role("button", name="Jump to newest")
    expect(newest).to_be_visible()
    expect(last_reply(tab)).to_have_attribute("data-status", "complete")
    assert log.evaluate("log => log.scrollTop") == 0
    newest.click()
    tab.eventually(lambda: log.evaluate(AT_END))
    expect(newest).to_be_hidden()
    tab.assert_equals_fresh(chat)


def test_earlier_messages_load_without_a_jump(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
) -> None:
    Message.objects.bulk_create(
        Message(conversation=chat, party="USER", content=f"Message {n}.")
        for n in range(2 * PAGE_SIZE + 10)
    )
    site = start_site()
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    articles = tab.page.locator("article")
    link = tab.page.get_by_text("Show earlier messages")
    expect(articles).to_have_count(PAGE_SIZE)
    # By its key: what scrolls there has it come by itself.
    for count, first in ((2 * PAGE_SIZE, 10), (2 * PAGE_SIZE + 10, 0)):
        link.evaluate("link => { link.focus({ preventScroll: true }); link.click() }")
        expect(articles).to_have_count(count)
        expect(articles.first).to_contain_text(f"Message {first}.")
        focused = "() => document.activeElement.matches('article')"
        assert tab.page.evaluate(focused)
    expect(link).to_have_count(0)
    tab.assert_clean()


@both_versions
def test_two_chats_in_a_hosts_page_work_each_by_itself(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    version: int,
) -> None:
    Parrot.objects.create(name="Polly", model="SCRIPTED")
    site = start_site(HTMX_VERSION=version, **scripted(text=WORDS, pace=0.02))
    tab = open_tab(site, somebody)
    tab.open("/host/")
    assert not SmartConversation.objects.exists()
    for number, title in enumerate(("First chat", "Second chat")):
        chat = tab.page.locator(".polly-chat").nth(number)
        expect(chat).to_contain_text(title)
        box = chat.get_by_label("Message", exact=True)
        for text in ("One", "Two"):
            box.fill(text)
            box.press("Enter")
            expect(chat.locator('article[data-party="USER"]').last).to_contain_text(
                text
            )
            reply = chat.locator('article[data-party="ASSISTANT"]').last
            expect(reply).to_have_attribute("data-status", "complete")
            expect(box).to_have_value("")
    conversations = SmartConversation.objects.all()
    assert len(conversations) == 2
    for conversation in conversations:
        tab.assert_equals_fresh(conversation)
    tab.assert_clean()


def test_chat_works_without_javascript(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
) -> None:
    site = start_site(**scripted(text=WORDS, pace=0.05))
    tab = open_tab(site, somebody, java_script_enabled=False)
    tab.open(chat.get_absolute_url())
    box(tab).fill("Hello")
    tab.page.get_by_role("button", name="Send").click()
    expect(last_reply(tab)).to_be_visible()
    expect(last_reply(tab)).to_have_attribute("data-status", "complete")
    expect(last_reply(tab)).to_contain_text("in them.")


def test_chat_is_used_by_keyboard_alone(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
) -> None:
    Parrot.objects.create(name="Polly", model="SCRIPTED")
    site = start_site(**scripted(text=WORDS))
    tab = open_tab(site, somebody)
    tab.open("/polly/")
    keys = tab.page.keyboard
    for _ in range(8):
        keys.press("Tab")
        if tab.page.evaluate("document.activeElement.type") == "submit":
            break
    with tab.page.expect_navigation():
        keys.press("Enter")
    for _ in range(10):
        if tab.page.evaluate("document.activeElement.tagName") == "TEXTAREA":
            break
        keys.press("Tab")
    keys.type("Two")
    keys.press("Shift+Enter")
    keys.type("lines")
    expect(box(tab)).to_have_value("Two\nlines")
    keys.press("Enter")
    expect(last_reply(tab)).to_have_attribute("data-status", "complete")
    assert Message.objects.get(party="USER").content == "Two\nlines"
