"""What people do with messages: copy, edit, versions, feedback, and what lies behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, expect

from polly_htmx.chat.conversations import PAGE_SIZE
from polly_htmx.models import Feedback, Message, Parrot, SmartConversation
from tests.browser.conftest import Tab
from tests.browser.test_chat import AT_END, both_versions, box, last_reply
from tests.browser.test_replies import RICH, button, replies
from tests.live import scripted

pytestmark = [pytest.mark.browser, pytest.mark.live]

CLIPBOARD = ["clipboard-read", "clipboard-write"]
PASTED = "() => navigator.clipboard.readText()"


def question(tab: Tab) -> Locator:
    return tab.page.locator('article[data-party="USER"]').last


def say(chat: SmartConversation, *texts: str) -> list[Message]:
    """Store a talk that is over: questions and answers by turns."""
    parties = Message.Party.USER, Message.Party.ASSISTANT
    return [
        Message.objects.create(
            conversation=chat,
            party=parties[number % 2],
            author=None if number % 2 else chat.user,
            content=text,
            version=chat.parrot.current_version() if number % 2 else None,
        )
        for number, text in enumerate(texts)
    ]


@both_versions
def test_source_and_code_are_copied_as_they_were_written(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    say(chat, "What *now*?", RICH)
    site = start_site(HTMX_VERSION=version, **scripted(text=RICH, pace=0.001))
    tab = open_tab(site, somebody, permissions=CLIPBOARD)
    tab.open_chat(chat)
    last_reply(tab).get_by_role("button", name="Copy", exact=True).click()
    expect(last_reply(tab).get_by_role("button", name="Copied")).to_be_visible()
    expect(tab.page.get_by_role("status")).to_have_text("Copied")
    assert tab.page.evaluate(PASTED) == RICH
    question(tab).get_by_role("button", name="Copy", exact=True).click()
    tab.eventually(lambda: tab.page.evaluate(PASTED) == "What *now*?")
    code = "def add(a, b):\n    return a + b\n"
    last_reply(tab).get_by_role("button", name="Copy code").click()
    tab.eventually(lambda: tab.page.evaluate(PASTED) == code)
    # Live too, once the code is whole.
    tab.send("And again?")
    expect(replies(tab)).to_have_count(2)
    expect(last_reply(tab)).to_have_attribute("data-status", "complete")
    expect(last_reply(tab).get_by_role("button", name="Copy code")).to_have_count(1)
    expect(tab.page.get_by_text("Copied")).to_have_count(0)
    tab.assert_equals_fresh(chat)
    tab.assert_clean()


def test_hostile_code_is_copied_to_the_letter(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
) -> None:
    """Its info string is words, its lines are text, however long and many they are."""
    info = 'python hx-on:click=alert(1) "><img src=x onerror=alert(1)>'
    code = (
        "\tif a < b && c:  \n\n    x = '</code></pre><script>alert(1)</script>'\n"
        "&amp; &#x41; \\n {{ x }} \u00a0 ``` no end\n" + "y" * 200_000 + "\n"
    )
    many = "line\n" * 50_000
    say(chat, "Code?", f"~~~~{info}\n{code}~~~~\n\n```mermaid\n{many}```")
    tab = open_tab(start_site(**scripted()), somebody, permissions=CLIPBOARD)
    tab.open_chat(chat)
    copying = last_reply(tab).get_by_role("button", name="Copy code")
    expect(copying).to_have_count(2)
    for number, text in enumerate((code, many)):
        copying.nth(number).click()
        tab.eventually(lambda text=text: tab.page.evaluate(PASTED) == text)
    last_reply(tab).get_by_role("button", name="Copy", exact=True).click()
    source = Message.objects.get(party="ASSISTANT").content
    tab.eventually(lambda: tab.page.evaluate(PASTED) == source)
    assert last_reply(tab).locator("img, script, svg, [id*=mermaid]").count() == 1
    tab.assert_clean()


def edit_after_second_thoughts(tab: Tab) -> None:
    """Take an edit back, try an empty one, and send another text."""
    button(tab, "Edit").click()
    edited = tab.page.get_by_label("Edit your message")
    expect(edited).to_be_focused()
    expect(edited).to_have_value("First words")
    tab.page.keyboard.press("Escape")
    expect(edited).to_have_count(0)
    expect(button(tab, "Edit")).to_be_focused()
    button(tab, "Edit").click()
    edited.fill("   ")
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("alert")).to_contain_text("write a message")
    edited.fill("Other words")
    tab.page.keyboard.press("Enter")


@both_versions
def test_message_is_edited_in_place_and_its_versions_are_reached(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    say(chat, "First words", "First answer")
    site = start_site(HTMX_VERSION=version, **scripted(text="Another answer"))
    one, two = open_tab(site, somebody), open_tab(site, somebody)
    for tab in (one, two):
        tab.open_chat(chat)
    edit_after_second_thoughts(one)
    for tab in (one, two):
        expect(question(tab)).to_contain_text("Other words")
        expect(last_reply(tab)).to_have_attribute("data-status", "complete")
        expect(last_reply(tab)).to_contain_text("Another answer")
        expect(question(tab)).to_contain_text("2/2")
        expect(replies(tab)).to_have_count(1)
        tab.assert_equals_fresh(chat)
    button(one, "Previous version").click()
    for tab in (one, two):
        expect(question(tab)).to_contain_text("First words")
        expect(last_reply(tab)).to_contain_text("First answer")
        expect(question(tab)).to_contain_text("1/2")
        tab.assert_equals_fresh(chat)
    expect(button(one, "Previous version")).to_be_focused()
    button(two, "Next version").click()
    for tab in (one, two):
        expect(last_reply(tab)).to_contain_text("Another answer")
    assert Message.objects.count() == 4
    one.assert_clean()
    two.assert_clean()


@both_versions
def test_thumbs_and_comment_are_shown_in_every_tab(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    say(chat, "A question", "An answer")
    site = start_site(HTMX_VERSION=version, **scripted(text="word"))
    one, two = open_tab(site, somebody), open_tab(site, somebody)
    for tab in (one, two):
        tab.open_chat(chat)
    button(one, "Good answer").click()
    for tab in (one, two):
        expect(button(tab, "Good answer")).to_have_attribute("aria-pressed", "true")
        tab.assert_equals_fresh(chat)
    expect(button(one, "Good answer")).to_be_focused()
    button(two, "Bad answer").click()
    for tab in (one, two):
        expect(button(tab, "Good answer")).to_have_attribute("aria-pressed", "false")
        expect(button(tab, "Bad answer")).to_have_attribute("aria-pressed", "true")
    button(one, "Comment").click()
    one.page.get_by_label("What do you think").fill("Too <b>short</b>")
    button(one, "Save").click()
    expect(one.page.get_by_label("What do you think")).to_have_count(0)
    for tab in (one, two):
        expect(button(tab, "Edit comment")).to_be_visible()
        tab.assert_equals_fresh(chat)
    expect(button(one, "Edit comment")).to_be_focused()
    given = Feedback.objects.get()
    assert (given.good, given.comment) == (False, "Too <b>short</b>")
    button(one, "Bad answer").click()
    for tab in (one, two):
        expect(button(tab, "Bad answer")).to_have_attribute("aria-pressed", "false")
        expect(button(tab, "Edit comment")).to_have_count(0)
        tab.assert_equals_fresh(chat)
    assert not Feedback.objects.exists()
    one.assert_clean()


@both_versions
def test_more_tells_of_an_answer_and_asks_another_parrot(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    Parrot.objects.create(name="Ara", model="SCRIPTED")
    site = start_site(
        HTMX_VERSION=version, SHOW_USAGE=True, **scripted(text="Well, well")
    )
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    tab.send("Hello")
    expect(last_reply(tab)).to_have_attribute("data-status", "complete")
    more = last_reply(tab).locator("summary")
    more.click()
    expect(last_reply(tab)).to_contain_text("Polly · Scripted")
    expect(last_reply(tab)).to_contain_text("First words after")
    expect(last_reply(tab)).to_contain_text("written")
    button(tab, "Ara").click()
    expect(last_reply(tab)).to_contain_text("2/2")
    expect(last_reply(tab).locator(".polly-message__author")).to_have_text("Ara")
    expect(last_reply(tab)).to_have_attribute("data-status", "complete")
    tab.assert_equals_fresh(chat)
    tab.assert_clean()


@both_versions
def test_older_messages_come_on_scroll_without_a_jump(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    say(chat, *(f"Text {number}. " * 20 for number in range(3 * PAGE_SIZE + 10)))
    site = start_site(HTMX_VERSION=version, **scripted(text="word"))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    articles, log = tab.page.locator("article"), tab.page.get_by_role("log")
    tab.eventually(lambda: log.evaluate(AT_END))
    # A page may have come by itself, if the log was slow to go down to its end.
    tab.page.wait_for_load_state("networkidle")
    begun = articles.count()
    assert begun in {PAGE_SIZE, 2 * PAGE_SIZE}
    counts = (2 * PAGE_SIZE, 3 * PAGE_SIZE, 3 * PAGE_SIZE + 10)
    for count in counts[begun // PAGE_SIZE - 1 :]:
        first = articles.first
        key = first.get_attribute("id")
        top = log.evaluate("log => { log.scrollTop = 30; return log.scrollTop }")
        before = tab.page.locator(f"#{key}").bounding_box()
        expect(articles).to_have_count(count)
        after = tab.page.locator(f"#{key}").bounding_box()
        assert before
        assert after
        assert top == 30
        assert abs(before["y"] - after["y"]) < 80
    expect(tab.page.get_by_role("link", name="Show earlier")).to_have_count(0)
    tab.assert_clean()


@both_versions
def test_edit_far_above_shows_the_new_path_and_nothing_else(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    say(chat, *(f"Text {number}." for number in range(2 * PAGE_SIZE)))
    site = start_site(
        HTMX_VERSION=version, MESSAGES_PER_MINUTE=999, **scripted(text="Quite new")
    )
    one, two = open_tab(site, somebody), open_tab(site, somebody)
    for tab in (one, two):
        tab.open_chat(chat)
    articles = one.page.locator("article")
    # It may have come by itself, if the page was slow to go down to its end.
    one.page.evaluate("document.querySelector('.polly-log__earlier')?.click()")
    expect(articles).to_have_count(2 * PAGE_SIZE)
    before = len(one.sockets)
    articles.nth(2).hover()
    articles.nth(2).get_by_role("button", name="Edit").click()
    one.page.get_by_label("Edit your message").fill("Text of another sort")
    one.page.keyboard.press("Enter")
    for tab in (one, two):
        expect(tab.page.locator("article")).to_have_count(4)
        expect(last_reply(tab)).to_contain_text("Quite new")
        expect(last_reply(tab)).to_have_attribute("data-status", "complete")
        expect(tab.page.get_by_role("link", name="Show earlier")).to_have_count(0)
        tab.assert_equals_fresh(chat)
    one.eventually(lambda: len(one.sockets) > before)
    # The new line is one to talk over.
    one.send("Go on")
    for tab in (one, two):
        expect(replies(tab)).to_have_count(3)
        expect(last_reply(tab)).to_have_attribute("data-status", "complete")
        tab.assert_equals_fresh(chat)
    expect(box(one)).to_have_value("")
    one.assert_clean()


def test_everything_works_without_javascript(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
) -> None:
    say(chat, "First words", "An *answer*")
    site = start_site(**scripted(text="Another one"))
    tab = open_tab(site, somebody, java_script_enabled=False)
    tab.open(chat.get_absolute_url())
    button(tab, "Good answer").click()
    expect(button(tab, "Good answer")).to_have_attribute("aria-pressed", "true")
    button(tab, "Comment").click()
    tab.page.get_by_label("What do you think").fill("Nice")
    button(tab, "Save").click()
    button(tab, "Edit comment").click()
    expect(tab.page.get_by_label("What do you think")).to_have_value("Nice")
    tab.page.get_by_role("link", name="Cancel").click()
    tab.page.locator(".polly-about summary").click()
    tab.page.get_by_role("link", name="About this answer").click()
    expect(tab.page.locator("main")).to_contain_text("Answered by")
    tab.page.get_by_role("link", name="Back to the chat").click()
    button(tab, "Edit").click()
    tab.page.get_by_label("Edit your message").fill(" ")
    button(tab, "Send").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("write a message")
    tab.page.get_by_label("Edit your message").fill("Other words")
    button(tab, "Send").click()
    expect(last_reply(tab)).to_contain_text("Another one")
    expect(question(tab)).to_contain_text("Other words")
    button(tab, "Previous version").click()
    expect(last_reply(tab)).to_contain_text("An answer")
    last_reply(tab).get_by_role("button", name="Copy").click()
    expect(tab.page.locator("body")).to_have_text("An *answer*")
