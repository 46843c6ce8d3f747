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
