"""What people are told when something fails: nothing of how the site is made."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, NoReturn

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse

from polly_htmx import access, exceptions
from polly_htmx.models import SmartConversation

pytestmark = pytest.mark.django_db

INSIDE = re.compile(
    r"polly_htmx|traceback|site-packages|\.py\b|/srv/|SELECT\b|sqlite|psycopg|<class"
    r"|[a-z]Error\b|Exception|SmartConversation|ParrotVersion|DoesNotExist|litellm|openai"
    r"|CANARY|\bNone\b|object at 0x"
)
FAULT = (
    'CANARY: SELECT "content" FROM "polly_htmx_message" in /srv/site/views.py '
    "while asking openai/gpt-5-mini"
)
HTMX = {"HX-Request": "true"}


def assert_tells_nothing(body: bytes) -> None:
    """Look at what people read; our pages name their own stylesheet in their head."""
    text = html.unescape(re.sub(r"<[^>]*>", " ", body.decode()))
    assert not INSIDE.findall(text)
    assert b"CANARY" not in body


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the database fail in words of its own."""

    def fail(*_args: object, **_columns: object) -> NoReturn:
        raise DatabaseError(FAULT)

    for way in ("conversations_of", "_find"):
        monkeypatch.setattr(access, way, fail)


@pytest.fixture
def client(user: User) -> Client:
    """Return a browser that is shown what the site says, faults included."""
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("get", "conversations"),
        ("get", "search"),
        ("get", "conversation"),
        ("post", "send"),
        ("post", "draft"),
        ("post", "rename"),
    ],
)
def test_fault_of_the_database_is_told_to_nobody(
    client: Client,
    conversation: SmartConversation,
    method: str,
    name: str,
    headers: dict[str, str],
) -> None:
    args = [] if name in {"conversations", "search"} else [conversation.external_id]
    path = reverse(f"polly:{name}", args=args)
    fields = {"q": "words", "message": "Hi", "nonce": "n1", "title": "Hi"}
    response = getattr(client, method)(path, fields, headers=headers)
    assert response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert_tells_nothing(response.content)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
@pytest.mark.parametrize(
    "path", ["nothing/", "c/x/", "c/1/../2/", f"c/{uuid.UUID(int=1)}/", "c/%00/"]
)
def test_what_is_not_there_is_told_without_what_is(
    client: Client, path: str, headers: dict[str, str]
) -> None:
    response = client.get(f"/polly/{path}", headers=headers)
    assert_tells_nothing(response.content)
    # htmx shows a refusal in the place of the chat, and would not show a 404.
    is_shown = bool(headers) and "00000001" in path
    expected = HTTPStatus.OK if is_shown else HTTPStatus.NOT_FOUND
    assert response.status_code == expected


def test_missing_token_and_wrong_method_tell_nothing(
    user: User, conversation: SmartConversation
) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)
    path = reverse("polly:send", args=[conversation.external_id])
    refused = strict.post(path, {"message": "Hi"})
    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert_tells_nothing(refused.content)
    wrong = strict.get(path)
    assert wrong.status_code == HTTPStatus.METHOD_NOT_ALLOWED
    assert_tells_nothing(wrong.content)


def test_what_is_refused_is_told_in_words_for_people(
    client: Client, conversation: SmartConversation
) -> None:
    path = reverse("polly:send", args=[conversation.external_id])
    for headers in ({}, HTMX):
        fields = {"message": "x" * 16_001, "nonce": "n1"}
        response = client.post(path, fields, headers=headers)
        assert b"Please shorten it." in response.content
        assert_tells_nothing(response.content)


def kinds(kind: type[exceptions.PollyError]) -> Iterator[type[exceptions.PollyError]]:
    """Yield all of our exceptions."""
    for each in kind.__subclasses__():
        yield each
        yield from kinds(each)


OURS = [each for each in kinds(exceptions.PollyError) if "polly" in each.__module__]


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_sentence_of_each_fault_tells_nothing(kind: Any) -> None:
    assert_tells_nothing(str(kind.user_message).encode())
