"""Hostile texts where they stand beside messages: they do nothing there either."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import expect

from polly_htmx.models import (
    Draft,
    Feedback,
    Message,
    Parrot,
    QueuedMessage,
    SmartConversation,
)
from polly_htmx.models.feedback import COMMENT_CHARS
from tests.browser.conftest import Tab
from tests.browser.test_hostile import (
    PAYLOADS,
    Watch,
    assert_nothing_happened,
    both_versions,
    chat_paths,
    somebody,
    watched,
)
from tests.browser.test_messages import say
from tests.live import Site, scripted

__all__ = ["somebody", "watched"]

pytestmark = [pytest.mark.browser, pytest.mark.live]
Watched = Callable[..., tuple[Tab, Watch]]

PER_PAGE = 30
"""Chats that one page of results holds."""
LONG = " ".join(PAYLOADS)
SEARCHES = r"/polly/search/\?.*"
# What htmx would act on, what browsers would, and ids that are ours.
TITLE = "Seeds <img src=x onerror=__xss()><b hx-on:click=__xss() hx-get=/x>fruit"
THOUGHTS = (
    '</div></details><div hx-ws:connect="/x" ws-connect="/x" hx-ext=ws></div>'
    "<svg onload=__xss()><math><mi href=javascript:__xss()>x</mi></math>"
)
QUEUED = (
    '</textarea></p><script>__xss()</script><form id="polly-form" action=/x ws-send>'
    '<button name=action value=stop>x</button></form><p hx-swap-oob="innerHTML:body">'
)


def fill_beside_messages(chat: SmartConversation, user: User) -> Message:
    """Put texts into the queue, a draft and a comment; return the answer judged."""
    _question, answer = say(chat, LONG, "Quite so.")
    Message.objects.filter(pk=answer.pk).update(status=Message.Status.STOPPED)
    Feedback.objects.create(message=answer, good=False, comment=LONG[:COMMENT_CHARS])
    QueuedMessage.objects.bulk_create(
        QueuedMessage(conversation=chat, author=user, content=text, nonce=f"n{number}")
        for number, text in enumerate(PAYLOADS)
    )
    SmartConversation.objects.filter(pk=chat.pk).update(queued=len(PAYLOADS))
    Draft.objects.create(conversation=chat, text=LONG, nonce="draft")
    return answer


@both_versions
def test_texts_beside_messages_do_nothing(
    start_site: Callable[..., Site],
    watched: Watched,
    chat: SmartConversation,
    somebody: User,
    version: int,
) -> None:
    """Queue, draft, comment, the forms that show them, greeting and starters."""
    answer = fill_beside_messages(chat, somebody)
    empty = SmartConversation.objects.create(parrot=chat.parrot, user=somebody)
    Parrot.objects.update(greeting=LONG, starters=[text[:200] for text in PAYLOADS])
    tab, watch = watched(start_site(HTMX_VERSION=version, **scripted()))
    tab.open_chat(chat)
    expect(tab.page.locator(".polly-queue")).to_be_visible()
    box = tab.page.get_by_label("Message", exact=True)
    expect(box).to_have_value(re.compile(r"^<script>__xss\(\)</script>"))
    paths = [chat_paths(chat), chat_paths(empty)]
    assert_nothing_happened(tab, watch, *paths, visits=1)
    tab.open_chat(empty)
    expect(tab.page.locator(".polly-empty__starters")).to_be_visible()
    assert_nothing_happened(tab, watch, *paths, visits=2)
    names = [
        *((name, chat.messages.first()) for name in ("edit", "source")),
        *((name, answer) for name in ("message", "comment")),
    ]
    for visit, (name, message) in enumerate(names, 3):
        assert message is not None
        keys = [chat.external_id, message.external_id]
        path = reverse(f"polly:{name}", args=keys)
        paths.append(re.escape(path))
        tab.open(path)
        assert_nothing_happened(tab, watch, *paths, visits=visit)


@both_versions
def test_texts_that_are_searched_for_and_found_do_nothing(
    start_site: Callable[..., Site],
    watched: Watched,
    chat: SmartConversation,
    somebody: User,
    version: int,
) -> None:
    """Excerpts cut texts in the middle, and mark words in them."""
    for number, text in enumerate(PAYLOADS):
        found = SmartConversation.objects.create(
            parrot=chat.parrot, user=somebody, title=text[:200]
        )
        words = f"needle{number // PER_PAGE} {text}"
        Message.objects.create(conversation=found, party="USER", content=words)
    tab, watch = watched(start_site(HTMX_VERSION=version, **scripted()))
    pages = -(-len(PAYLOADS) // PER_PAGE)
    for number in range(pages):
        tab.open(f"/polly/search/?q=needle{number}")
        assert tab.page.locator("mark").count() > 0
        assert_nothing_happened(tab, watch, SEARCHES, visits=number + 1)
    tab.page.get_by_role("searchbox").fill('"><img src=x onerror=__xss()> needle')
    with tab.page.expect_response(lambda response: "onerror" in response.url):
        tab.page.keyboard.press("Enter")
    tab.page.wait_for_load_state("networkidle")
    assert watch.canaries == []
    assert watch.unexpected(SEARCHES) == []
    tab.assert_clean()


def queue_and_take_back(tab: Tab) -> None:
    """Have a text wait, and take it back while the composer holds another."""
    tab.send(QUEUED)
    expect(tab.page.locator(".polly-queue__text")).to_have_text(QUEUED)
    tab.page.get_by_label("Message", exact=True).fill("Kept")
    tab.page.get_by_role("button", name="Take back").click()
    expect(tab.page.locator("[data-polly-back]")).to_have_text(QUEUED)
    expect(tab.page.locator(".polly-queue__text")).to_have_count(0)


def comment(tab: Tab) -> None:
    """Judge the answer, and come back to what was said of it."""
    answer = tab.page.locator('article[data-party="ASSISTANT"]').last
    expect(answer).to_have_attribute("data-status", "complete")
    expect(answer.locator(".polly-thoughts__text")).to_have_text(THOUGHTS)
    answer.get_by_role("button", name="Bad answer").click()
    answer.get_by_role("button", name="Comment").click()
    answer.get_by_role("textbox").fill(QUEUED)
    tab.page.keyboard.press("Enter")
    answer.get_by_role("button", name="Edit comment").click()
    expect(answer.get_by_role("textbox")).to_have_value(QUEUED)


@both_versions
def test_texts_that_come_while_one_looks_on_do_nothing(
    start_site: Callable[..., Site],
    watched: Watched,
    chat: SmartConversation,
    version: int,
) -> None:
    """A title by the model, thoughts, a queue, what is taken back, a comment."""
    said = scripted(answers=[TITLE], reasoning=THOUGHTS, pace=0.3)
    tab, watch = watched(start_site(HTMX_VERSION=version, TITLES=True, **said))
    tab.open_chat(chat)
    tab.send(QUEUED)
    expect(tab.page.locator(".polly-thoughts")).to_be_attached()
    queue_and_take_back(tab)
    expect(tab.page.get_by_role("heading", level=1)).to_have_text(TITLE)
    expect(tab.page).to_have_title(re.compile(f"^{re.escape(TITLE)} . Polly$"))
    row = tab.page.locator(f"#polly-link-{chat.external_id}")
    expect(row).to_contain_text(TITLE)
    comment(tab)
    message = rf"{chat.get_absolute_url()}message/[\w-]+"
    paths = [chat_paths(chat), rf"{message}/(comment|feedback/bad)/"]
    assert_nothing_happened(tab, watch, *paths, visits=1)
    assert len(tab.sockets) == 1
