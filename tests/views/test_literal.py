"""Braces, percent signs and tags of templates in anybody's text: shown as written."""

from __future__ import annotations

import html
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from polly_htmx.models import (
    Draft,
    Feedback,
    Message,
    Parrot,
    QueuedMessage,
    SmartConversation,
)

pytestmark = pytest.mark.django_db

WRITTEN = "{{ 7|add:7 }}{% now 'Y' %}{# gone #} {0.real} %(name)s %s 100% ${1+1} {name}"


@pytest.fixture
def chat(user: User) -> SmartConversation:
    """Return a chat in which every text is one for a template."""
    parrot = Parrot.objects.create(
        name=WRITTEN, model="DUMMY", greeting=WRITTEN, starters=[WRITTEN]
    )
    chat = SmartConversation.objects.create(parrot=parrot, user=user, title=WRITTEN)
    Message.objects.create(conversation=chat, party="USER", content=WRITTEN)
    answer = Message.objects.create(
        conversation=chat,
        party="ASSISTANT",
        content=WRITTEN,
        reasoning=WRITTEN,
        status="stopped",
        version=parrot.current_version(),
    )
    Feedback.objects.create(message=answer, good=False, comment=WRITTEN)
    QueuedMessage.objects.create(
        conversation=chat, author=user, content=WRITTEN, nonce="n1"
    )
    SmartConversation.objects.filter(pk=chat.pk).update(queued=1)
    Draft.objects.create(conversation=chat, text=WRITTEN, nonce="n2")
    return chat


def shown(response: object) -> str:
    """Return what people read, in elements and attributes."""
    content: bytes = response.content  # type: ignore[attr-defined]
    marks = re.sub(r"</?mark[^>]*>", "", content.decode())
    return html.unescape(marks)


@pytest.mark.parametrize(
    ("name", "times"),
    [
        # The titles of document, heading and row; name, greeting, starter twice (text
        # and value), two messages, thoughts, queue, draft and placeholder.
        ("conversation", 14),
        ("rename", 2),
        ("message", 1),
        ("edit", 1),
        ("comment", 1),
        ("source", 1),
    ],
)
def test_page_of_a_chat_shows_texts_as_they_were_written(
    signed_in: Client, chat: SmartConversation, name: str, times: int
) -> None:
    question, answer = chat.messages.order_by("sequence")
    key = question if name in {"edit", "source"} else answer
    args = [chat.external_id]
    args += [] if name in {"conversation", "rename"} else [key.external_id]
    page = shown(signed_in.get(reverse(f"polly:{name}", args=args)))
    assert page.count(WRITTEN) >= times


def test_lists_show_texts_as_they_were_written(
    signed_in: Client, chat: SmartConversation
) -> None:
    for path in ("/polly/", "/polly/search/?q=gone"):
        assert WRITTEN in shown(signed_in.get(path))
    signed_in.post(reverse("polly:archive", args=[chat.external_id]), {"archived": 1})
    assert WRITTEN in shown(signed_in.get("/polly/archived/"))
    response = signed_in.post(
        reverse("polly:delete", args=[chat.external_id]), headers={"HX-Request": "true"}
    )
    assert f"“{WRITTEN}”" in re.sub(r"</?bdi>", "", shown(response))
