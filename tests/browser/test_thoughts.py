"""What a model does before its first word, as people see it, in both htmx versions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, expect

from polly_htmx.models import Message, Parrot, SmartConversation
from tests.browser.conftest import Tab
from tests.browser.test_accessibility import WIDE, violations
from tests.browser.test_chat import last_reply
from tests.browser.test_replies import button
from tests.fake_provider import FakeProvider
from tests.fake_scripts import SCRIPTS
from tests.live import provided, scripted

pytestmark = [pytest.mark.browser, pytest.mark.live]
both_versions = pytest.mark.parametrize("version", [2, 4])

PATIENCE = 60_000
"""Milliseconds for what takes its time: litellm's import, and all of an answer."""
TIMED = re.compile(r"^\s*Thought for \d+ s\s*$")
OVER = re.compile(r"^\s*(Thoughts|Thought for \d+ s)\s*$")
"""While it writes, and at the end, when it is known how long that took."""
HOSTILE = '<img src=x onerror="window.hacked=1"> <b>bold</b> & \n  more <script>'
SPOKEN = """() => {
  window.spoken = [];
  const line = document.querySelector('[role=status]');
  const tell = () => window.spoken.push(line.textContent);
  new MutationObserver(tell).observe(line, {childList: true, subtree: true});
}"""


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    """Return a provider that thinks for some seconds, and answers as slowly."""
    with FakeProvider(SCRIPTS) as server:
        server.pace, server.thoughts = 0.05, 60
        server.pieces = [f"word{number} " for number in range(30)]
        yield server


@pytest.fixture
def musing(chat: SmartConversation) -> SmartConversation:
    """Return the chat, with a Parrot that asks the provider."""
    chat.parrot.model = "MOCK"
    chat.parrot.save()
    return chat


def details(tab: Tab) -> Locator:
    return last_reply(tab).locator(".polly-thoughts")


def label(tab: Tab) -> Locator:
    return details(tab).locator("summary")


@both_versions
def test_thoughts_stream_beside_the_answer_and_stay_as_the_reader_left_them(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    provider: FakeProvider,
    somebody: User,
    musing: SmartConversation,
    version: int,
) -> None:
    site = start_site(HTMX_VERSION=version, **provided(provider.url, "pondering"))
    tab, closed, late = (open_tab(site, somebody) for _ in range(3))
    for each in (tab, closed):
        each.open_chat(musing)
    tab.page.evaluate(SPOKEN)
    tab.send("Hello")
    expect(label(tab)).to_have_text("Thinking…", timeout=PATIENCE)
    expect(details(tab)).not_to_have_attribute("open", "")
    label(tab).focus()
    tab.page.keyboard.press("Enter")
    expect(details(tab).get_by_text("thought0")).to_be_visible()
    expect(details(tab)).to_contain_text("thought30")
    late.open_chat(musing)
    expect(label(late)).to_have_text("Thinking…")
    expect(details(late)).to_contain_text("thought0 thought1 ")
    expect(late.page.get_by_role("status")).to_have_text("Polly is thinking.")
    expect(last_reply(tab)).to_contain_text("word1")
    expect(label(tab)).to_have_text(OVER)
    expect(last_reply(tab)).to_have_attribute(
        "data-status", "complete", timeout=PATIENCE
    )
    # Open as it was, and where the keyboard was.
    expect(details(tab)).to_have_attribute("open", "")
    expect(label(tab)).to_be_focused()
    tab.page.keyboard.press("Enter")
    expect(details(tab)).not_to_have_attribute("open", "")
    for each in (tab, closed, late):
        expect(last_reply(each)).to_have_attribute(
            "data-status", "complete", timeout=PATIENCE
        )
        expect(label(each)).to_have_text(TIMED)
        each.assert_equals_fresh(musing)
        each.assert_clean()
    # Told by and by, and not once a token.
    assert tab.page.evaluate("spoken") == [
        "Polly is answering.",
        "Polly is thinking.",
        "Polly is answering.",
        "Polly has answered.",
    ]
    reply = Message.objects.get(party="ASSISTANT")
    assert reply.reasoning == "".join(f"thought{number} " for number in range(60))


@both_versions
def test_waking_is_shown_to_all_and_gone_with_the_first_word(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    script = scripted(waking=4, text="One two three. " * 20, pace=0.05)
    site = start_site(HTMX_VERSION=version, **script)
    tab, late = open_tab(site, somebody), open_tab(site, somebody)
    tab.open_chat(chat)
    tab.send("Hello")
    tabs = (tab, late)
    for each in tabs:
        if each is late:
            late.open_chat(chat)
        expect(last_reply(each)).to_contain_text("Waking up the model…")
        expect(each.page.get_by_role("status")).to_have_text("Waking up the model…")
    for each in tabs:
        expect(last_reply(each)).to_contain_text("One two three.")
        expect(last_reply(each)).not_to_contain_text("Waking")
        expect(each.page.get_by_role("status")).to_have_text("Polly is answering.")
    for each in tabs:
        expect(last_reply(each)).to_have_attribute(
            "data-status", "complete", timeout=PATIENCE
        )
        each.assert_equals_fresh(chat)
        each.assert_clean()


@both_versions
def test_stop_while_it_thinks_keeps_the_thoughts(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    thoughts = [HOSTILE, *(f" step{number}\n" for number in range(500))]
    script = scripted(reasoning=thoughts, text="Never said.", pace=0.05)
    site = start_site(HTMX_VERSION=version, **script)
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    tab.send("Hello")
    expect(details(tab)).to_contain_text("step5")
    label(tab).click()
    button(tab, "Stop").click()
    expect(last_reply(tab)).to_have_attribute("data-status", "stopped")
    expect(label(tab)).to_have_text(OVER)
    expect(details(tab)).to_have_attribute("open", "")
    # Shown anew, they are as the reader left them.
    button(tab, "Continue").click()
    expect(last_reply(tab)).to_have_attribute("data-status", "streaming")
    expect(details(tab)).to_have_attribute("open", "")
    button(tab, "Stop").click()
    expect(last_reply(tab)).to_have_attribute("data-status", "stopped")
    reply = Message.objects.get(party="ASSISTANT")
    assert reply.content == ""
    shown = details(tab).locator(".polly-thoughts__text")
    assert shown.evaluate("node => node.textContent") == reply.reasoning
    assert shown.locator("*").count() == 0
    assert tab.page.evaluate("window.hacked") is None
    label(tab).click()
    tab.assert_equals_fresh(chat)
    tab.assert_clean()


def test_hidden_thoughts_never_reach_the_page(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
) -> None:
    Parrot.objects.update(shows_thinking=False)
    script = scripted(reasoning="CANARY " * 60, text="One two three.", pace=0.05)
    site = start_site(**script)
    tab = open_tab(site, somebody)
    frames: list[str] = []
    tab.page.on(
        "websocket",
        lambda socket: socket.on(
            "framereceived", lambda text: frames.append(str(text))
        ),
    )
    tab.open_chat(chat)
    tab.send("Hello")
    expect(last_reply(tab).get_by_text("Thinking…")).to_be_visible()
    expect(tab.page.get_by_role("status")).to_have_text("Polly is thinking.")
    expect(last_reply(tab)).to_have_attribute(
        "data-status", "complete", timeout=PATIENCE
    )
    expect(details(tab)).to_have_count(0)
    assert "One two three." in "".join(frames)
    assert "CANARY" not in "".join(frames)
    assert "CANARY" in Message.objects.get(party="ASSISTANT").reasoning
    tab.assert_equals_fresh(chat)
    assert "CANARY" not in tab.page.content()


def test_thoughts_are_shown_without_javascript(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
) -> None:
    script = scripted(reasoning="Let me see. " * 40, text="Yes.", pace=0.05)
    site = start_site(**script)
    tab = open_tab(site, somebody, java_script_enabled=False)
    tab.open(chat.get_absolute_url())
    tab.page.get_by_label("Message", exact=True).fill("Hello")
    button(tab, "Send").click()
    expect(label(tab)).to_have_text("Thinking…", timeout=PATIENCE)
    expect(label(tab)).to_have_text(OVER, timeout=PATIENCE)
    label(tab).click()
    expect(details(tab).get_by_text("Let me see.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_thinking_and_waking_have_no_barriers(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    scheme: str,
) -> None:
    thoughts = ["verylongword" * 20, *(f" step{number}" for number in range(400))]
    script = scripted(waking=6, reasoning=thoughts, text="Yes.", pace=0.05)
    tab = open_tab(start_site(**script), somebody, color_scheme=scheme)
    tab.page.set_viewport_size({"width": 320, "height": 700})
    tab.open_chat(chat)
    tab.send("Hello")
    expect(last_reply(tab)).to_contain_text("Waking up the model…")
    assert violations(tab) == []
    expect(label(tab)).to_have_text("Thinking…", timeout=PATIENCE)
    label(tab).click()
    assert violations(tab) == []
    assert tab.page.evaluate(WIDE) <= 320
    button(tab, "Stop").click()
    expect(last_reply(tab)).to_have_attribute("data-status", "stopped")
    assert violations(tab) == []
