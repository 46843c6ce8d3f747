"""What people do with answers: stop, regenerate, continue, in both htmx versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, expect

from polly_htmx.models import Message, SmartConversation
from tests.browser.conftest import Tab
from tests.browser.test_chat import box, last_reply
from tests.live import scripted

pytestmark = [pytest.mark.browser, pytest.mark.live]
both_versions = pytest.mark.parametrize("version", [2, 4])

LONG = "word " * 2000
RICH = """\
# A title

Some **words** and `code` to begin with. And another sentence.

- one
- two
- three

| a | b |
| - | - |
| 1 | 2 |
| 3 | 4 |

```python
def add(a, b):
    return a + b
```

The end of it.
"""


def button(tab: Tab, name: str) -> Locator:
    return tab.page.get_by_role("button", name=name, exact=True)


def replies(tab: Tab) -> Locator:
    return tab.page.locator('article[data-party="ASSISTANT"]')


@both_versions
def test_stop_from_a_second_tab_keeps_the_text_and_the_chat_goes_on(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    site = start_site(HTMX_VERSION=version, **scripted(text=LONG, pace=0.03))
    one, two = open_tab(site, somebody), open_tab(site, somebody)
    one.open_chat(chat)
    expect(button(one, "Stop")).to_have_count(0)
    one.send("Hello")
    expect(last_reply(one)).to_contain_text("word word word")
    two.open_chat(chat)
    expect(last_reply(two)).to_contain_text("word word word")
    button(two, "Stop").click()
    for tab in (one, two):
        expect(last_reply(tab)).to_have_attribute("data-status", "stopped")
        expect(last_reply(tab)).to_contain_text("The answer was stopped.")
        expect(last_reply(tab)).to_contain_text("word word word")
        expect(button(tab, "Stop")).to_have_count(0)
        expect(button(tab, "Continue")).to_be_visible()
        tab.assert_equals_fresh(chat)
    expect(box(two)).to_be_focused()
    reply = Message.objects.get(party="ASSISTANT")
    assert (reply.status, reply.content[:10]) == ("stopped", "word word ")
    two.send("And now?")
    expect(replies(one)).to_have_count(2)
    expect(last_reply(one)).to_contain_text("word word")
    expect(button(one, "Continue")).to_be_hidden()
    one.assert_clean()
    two.assert_clean()


@both_versions
@pytest.mark.parametrize("pace", [0.0, 0.02])
def test_regenerate_shows_another_answer_in_every_tab(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
    pace: float,
) -> None:
    site = start_site(HTMX_VERSION=version, **scripted(text=RICH, pace=pace))
    one, two = open_tab(site, somebody), open_tab(site, somebody)
    for tab in (one, two):
        tab.open_chat(chat)
    one.send("Hello")
    for tab in (one, two):
        expect(last_reply(tab)).to_have_attribute("data-status", "complete")
        tab.assert_equals_fresh(chat)
    first = last_reply(one).get_attribute("id")
    button(one, "Regenerate").click()
    expect(box(one)).to_be_focused()
    for tab in (one, two):
        expect(tab.page.locator(f"#{first}")).to_have_count(0)
        expect(last_reply(tab)).to_have_attribute("data-status", "complete")
        expect(replies(tab)).to_have_count(1)
        tab.assert_equals_fresh(chat)
    assert Message.objects.filter(party="ASSISTANT").count() == 2
    one.assert_clean()
    two.assert_clean()


@both_versions
def test_continue_adds_to_the_answer_that_was_stopped(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    site = start_site(HTMX_VERSION=version, **scripted(text="One two. " * 9, pace=0.05))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    tab.send("Hello")
    expect(last_reply(tab)).to_contain_text("One two. One two.")
    button(tab, "Stop").click()
    expect(last_reply(tab)).to_have_attribute("data-status", "stopped")
    kept = Message.objects.get(party="ASSISTANT").content
    button(tab, "Continue").click()
    expect(last_reply(tab)).to_have_attribute("data-status", "complete")
    reply = Message.objects.get(party="ASSISTANT")
    assert reply.content.startswith(kept)
    assert reply.content.count("One two.") > 9
    tab.assert_equals_fresh(chat)
    tab.assert_clean()


def test_failed_answer_offers_another_try(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
) -> None:
    site = start_site(**scripted(text=RICH, fault="rate-limited"))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    tab.send("Hello")
    expect(last_reply(tab)).to_have_attribute("data-status", "failed")
    first = last_reply(tab).get_attribute("id")
    button(tab, "Try again").click()
    expect(tab.page.locator(f"#{first}")).to_have_count(0)
    expect(last_reply(tab)).to_have_attribute("data-status", "failed")
    tab.assert_equals_fresh(chat)


@both_versions
def test_what_can_not_be_done_is_told_and_the_draft_stays(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    site = start_site(
        HTMX_VERSION=version, MESSAGES_PER_MINUTE=1, **scripted(text=RICH)
    )
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    tab.send("Hello")
    expect(last_reply(tab)).to_have_attribute("data-status", "complete")
    expect(box(tab)).to_have_value("")
    box(tab).fill("A draft")
    button(tab, "Regenerate").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("a lot of messages")
    expect(box(tab)).to_have_value("A draft")
    tab.assert_equals_fresh(chat)


@both_versions
def test_page_acknowledges_what_it_gets_without_a_stir(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    site = start_site(HTMX_VERSION=version, **scripted(text=LONG, pace=0.03))
    tab = open_tab(site, somebody)
    got: list[str] = []
    said: list[str] = []

    def hear(frame: str) -> None:
        said.append(frame)

    def listen(socket: Any) -> None:
        socket.on("framereceived", lambda _frame: got.append(""))
        socket.on("framesent", hear)

    tab.page.on("websocket", listen)
    tab.open_chat(chat)
    # A host's own listener, such as one that shows a spinner, hears none of it.
    submits = "window.submits = 0; addEventListener('submit', () => submits += 1)"
    tab.page.evaluate(submits)
    tab.send("Hello")
    expect(last_reply(tab)).to_contain_text("word word word")
    earlier = tab.page.get_by_role("link", name="Skip to content")
    earlier.focus()
    tab.eventually(lambda: sum('"seen"' in frame for frame in said) > 2)
    expect(earlier).to_be_focused()
    numbers = [
        int(frame.split('"target":"')[1].split('"')[0])
        for frame in said
        if '"seen"' in frame
    ]
    assert numbers == sorted(set(numbers))
    assert 0 < numbers[-1] <= len(got)
    assert tab.page.evaluate("submits") == 1
    tab.assert_clean()


def test_answer_is_stopped_and_asked_for_again_without_javascript(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
) -> None:
    site = start_site(**scripted(text=LONG, pace=0.05))
    tab = open_tab(site, somebody, java_script_enabled=False)
    tab.open(chat.get_absolute_url())
    box(tab).fill("Hello")
    button(tab, "Send").click()
    expect(last_reply(tab)).to_contain_text("word word word")
    button(tab, "Stop").click()
    expect(last_reply(tab)).to_have_attribute("data-status", "stopped")
    button(tab, "Regenerate").click()
    expect(button(tab, "Stop")).to_be_visible()
    assert Message.objects.filter(party="ASSISTANT").count() == 2


def test_box_of_a_task_that_is_being_written_has_no_bullet_beside_it(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
) -> None:
    pieces = ["- [x] One\n", "- [ ] Two", "\n", "- Three"]
    site = start_site(**scripted(text=pieces, fault="stall"))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    tab.send("Hello")
    items = last_reply(tab).locator("li")
    expect(items).to_contain_text(["One", "Two"])
    for item in items.all():
        style = item.evaluate("item => getComputedStyle(item).listStyleType")
        assert style == "none"
    expect(last_reply(tab)).to_have_attribute("data-status", "streaming")
    tab.assert_clean()
