"""Characters that deceive readers or break databases, by every way over HTTP."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from polly_htmx.models import (
    Draft,
    Feedback,
    Message,
    QueuedMessage,
    SmartConversation,
)
from tests.dom import Element, parse

pytestmark = pytest.mark.django_db

# NUL, a lone surrogate and half a character in UTF-8, as no browser sends them.
BROKEN = b"a%00b%ED%A0%80c%E2%82d%C0%AE"
WORDS = "CANARY"
TURNED = f"\u202e{WORDS}\u2066"
OWN_DIRECTION = {"bdi", "option", "textarea", "input"}
"""Elements whose text can't turn its neighbours around."""


@pytest.fixture
def answer(conversation: SmartConversation, user: User) -> Message:
    """Return the answer of a talk that is over."""
    Message.objects.create(
        conversation=conversation, author=user, party="USER", content="Hi"
    )
    return Message.objects.create(
        conversation=conversation,
        party="ASSISTANT",
        content="Fine.",
        version=conversation.parrot.current_version(),
    )


def texts() -> list[str]:
    """Return what people have written, as it is stored."""
    return [
        *Message.objects.values_list("content", flat=True),
        *QueuedMessage.objects.values_list("content", flat=True),
        *Draft.objects.values_list("text", flat=True),
        *Feedback.objects.values_list("comment", flat=True),
        *SmartConversation.objects.values_list("title", flat=True),
    ]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("send", "message"),
        ("send", "starter"),
        ("send", "nonce"),
        ("send", "token"),
        ("draft", "message"),
        ("draft", "nonce"),
        ("edit", "message"),
        ("comment", "comment"),
        ("rename", "title"),
        ("pin", "pinned"),
        ("delete", "page"),
        ("delete", "current"),
    ],
)
def test_broken_text_in_a_form_breaks_nothing(
    client: Client, user: User, answer: Message, name: str, field: str
) -> None:
    client.force_login(user)
    question = answer.parent
    assert question is not None
    of = {"edit": [question.external_id], "comment": [answer.external_id]}
    path = reverse(
        f"polly:{name}", args=[answer.conversation.external_id, *of.get(name, [])]
    )
    if name == "comment":
        client.post(reverse("polly:feedback", args=_feedback(answer)))
    fields = {"message": b"Hi", "nonce": b"n1", "title": b"x"}
    fields[field] = BROKEN
    body = b"&".join(key.encode() + b"=" + value for key, value in fields.items())
    response: Any = client.post(
        path, body, content_type="application/x-www-form-urlencoded"
    )
    assert response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
    for text in texts():
        assert "\x00" not in text
        assert text.encode().decode() == text
    page = client.get("/polly/", {"deleted": str(answer.conversation.external_id)})
    assert page.status_code == HTTPStatus.OK


def _feedback(answer: Message) -> list[object]:
    return [answer.conversation.external_id, answer.external_id, "bad"]


@pytest.mark.parametrize("path", ["", "search/", "archived/"])
@pytest.mark.parametrize("field", ["q", "before", "place", "current", "deleted"])
def test_broken_text_in_an_address_breaks_nothing(
    signed_in: Client, answer: Message, path: str, field: str
) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        query = f"/polly/{path}?{field}={BROKEN.decode()}"
        response = signed_in.get(query, headers=headers)
        assert response.status_code == HTTPStatus.OK


@pytest.fixture
def turned(answer: Message, user: User) -> Message:
    """Return an answer in a chat whose texts would all turn others around."""
    chat = answer.conversation
    SmartConversation.objects.filter(pk=chat.pk).update(title=TURNED, queued=1)
    chat.messages.update(content=TURNED)
    Message.objects.filter(pk=answer.pk).update(reasoning=TURNED, status="stopped")
    chat.parrot.name = chat.parrot.greeting = TURNED
    chat.parrot.starters = [TURNED]
    chat.parrot.save()
    Feedback.objects.create(message=answer, good=False, comment=TURNED)
    QueuedMessage.objects.create(
        conversation=chat, author=user, content=TURNED, nonce="n1"
    )
    Draft.objects.create(conversation=chat, text=TURNED, nonce="n2")
    return answer


def loose(page: str) -> list[str]:
    """Return the texts that stand between others without a direction of their own."""
    found = []
    for element in parse(page).walk():
        words = "".join(each for each in element.children if isinstance(each, str))
        if WORDS in words and not _is_apart(element):
            found.append(element.html[:300])
    return found


def _is_apart(element: Element | None) -> bool:
    while element is not None:
        if element.tag in OWN_DIRECTION or element.attributes.get("dir") == "auto":
            return True
        element = element.parent
    return False


def test_texts_can_not_turn_their_neighbours_around(
    signed_in: Client, turned: Message
) -> None:
    chat = turned.conversation
    key = chat.external_id
    pages = ["/polly/", chat.get_absolute_url(), f"/polly/search/?q={WORDS}"]
    pages += [reverse("polly:rename", args=[key])]
    for name in ("message", "comment"):
        pages.append(reverse(f"polly:{name}", args=[key, turned.external_id]))
    for page in pages:
        response = signed_in.get(page)
        assert WORDS in response.content.decode()
        body = response.content.decode().partition("<body")[2].partition(">")[2]
        assert loose(body.partition("</body>")[0]) == [], page
    for name in ("archive", "delete"):
        deed = reverse(f"polly:{name}", args=[key])
        response = signed_in.post(deed, {"archived": 1}, headers={"HX-Request": "true"})
        assert WORDS in response.content.decode()
        assert loose(response.content.decode()) == [], name
