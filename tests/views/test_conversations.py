"""The pages: the list, a chat, and its earlier messages."""

from __future__ import annotations

import re
import uuid
from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse
from django.utils import timezone

from polly_htmx.chat.conversations import PAGE_SIZE
from polly_htmx.models import Message, Parrot, SmartConversation

pytestmark = pytest.mark.django_db
LIST = "/polly/"


def fill(conversation: SmartConversation, count: int) -> None:
    parties = (Message.Party.USER, Message.Party.ASSISTANT)
    Message.objects.bulk_create(
        Message(conversation=conversation, party=parties[n % 2], content=f"Text {n}.")
        for n in range(1, count + 1)
    )


def test_list_shows_only_ones_own_chats(
    conversation: SmartConversation, signed_in: Client, other_user: User, parrot: Parrot
) -> None:
    conversation.title = "Mine"
    conversation.save()
    SmartConversation.objects.create(parrot=parrot, user=other_user, title="Theirs")
    page = signed_in.get(LIST).content.decode()
    assert "Mine" in page
    assert "Theirs" not in page


def test_new_chat_starts_with_the_chosen_parrot(
    signed_in: Client, parrot: Parrot, user: User
) -> None:
    response = signed_in.post(LIST, {"parrot": parrot.external_id})
    made = SmartConversation.objects.get()
    assert (made.parrot, made.user) == (parrot, user)
    assert response.headers["Location"] == made.get_absolute_url()


@pytest.mark.parametrize("key", ["", "x", str(uuid.UUID(int=7)), "1 OR 1=1"])
def test_unknown_parrot_is_told_and_starts_nothing(
    signed_in: Client, parrot: Parrot, key: str
) -> None:
    response = signed_in.post(LIST, {"parrot": key})
    assert response.status_code == HTTPStatus.OK
    assert b'role="alert"' in response.content
    assert not SmartConversation.objects.exists()


def test_retired_parrot_is_not_offered(signed_in: Client, parrot: Parrot) -> None:
    parrot.retired_at = timezone.now()
    parrot.save()
    page = signed_in.get(LIST).content.decode()
    assert "There is no Parrot" in page
    response = signed_in.post(LIST, {"parrot": parrot.external_id})
    assert response.status_code == HTTPStatus.OK
    assert not SmartConversation.objects.exists()


def test_list_comes_in_pages(signed_in: Client, parrot: Parrot, user: User) -> None:
    SmartConversation.objects.bulk_create(
        SmartConversation(parrot=parrot, user=user, title=f"Chat {n}")
        for n in range(40)
    )
    first = signed_in.get(LIST).content.decode()
    link = first.split("polly-list__more")[1].split('href="')[1].split('"')[0]
    second = signed_in.get(link).content.decode()
    assert first.count("<li ") == 30
    assert second.count("<li ") == 10
    assert "polly-list__more" not in second


def test_chat_page_has_the_roles_and_ids_of_the_design(
    conversation: SmartConversation, signed_in: Client
) -> None:
    fill(conversation, 2)
    question, answer = conversation.messages.all()
    page = signed_in.get(conversation.get_absolute_url()).content.decode()
    assert f'id="polly-log-{conversation.external_id}"' in page
    assert 'role="log"' in page
    assert 'aria-live="off"' in page
    assert 'role="status"' in page
    for message in (question, answer):
        assert f'id="polly-message-{message.external_id}"' in page
        assert f'data-party="{message.party}"' in page
    assert "polly-message__content" in page


def test_chat_page_is_kept_out_of_caches(
    conversation: SmartConversation, signed_in: Client
) -> None:
    response = signed_in.get(conversation.get_absolute_url())
    control = response.headers["Cache-Control"]
    assert "private" in control
    assert "no-store" in control


def test_foreign_chat_is_a_404_like_one_that_does_not_exist(
    conversation: SmartConversation, other_user: User
) -> None:
    client = Client()
    client.force_login(other_user)
    missing = reverse("polly:conversation", args=[uuid.uuid4()])
    foreign = client.get(conversation.get_absolute_url())
    unknown = client.get(missing)
    assert foreign.status_code == unknown.status_code == HTTPStatus.NOT_FOUND
    assert foreign.content == unknown.content


def test_dead_reply_is_marked_on_a_page_view(
    conversation: SmartConversation, signed_in: Client
) -> None:
    Message.objects.create(
        conversation=conversation,
        party=Message.Party.ASSISTANT,
        status=Message.Status.STREAMING,
        content="Half an ans",
        lease_owner=uuid.uuid4(),
        lease_until=timezone.now(),
    )
    page = signed_in.get(conversation.get_absolute_url()).content.decode()
    assert 'data-status="interrupted"' in page
    assert "Half an ans" in page
    assert "broke off" in page


@pytest.mark.parametrize("count", [1, 100, 1000])
def test_chat_page_takes_few_queries_whatever_its_length(
    conversation: SmartConversation, signed_in: Client, count: int
) -> None:
    fill(conversation, count)
    with CaptureQueriesContext(connection) as queries:
        page = signed_in.get(conversation.get_absolute_url()).content.decode()
    assert len(queries) < 12
    assert page.count("<article") == min(count, PAGE_SIZE)
    assert f"Text {count}." in page


def test_earlier_messages_come_page_by_page_to_the_first(
    conversation: SmartConversation, signed_in: Client
) -> None:
    fill(conversation, 70)
    page = signed_in.get(conversation.get_absolute_url()).content.decode()
    seen = page.count("<article")
    while link := re.search(r'hx-get="([^"]*/before/[^"]*)"', page):
        page = signed_in.get(link[1], headers={"HX-Request": "true"}).content.decode()
        assert "<html" not in page
        seen += page.count("<article")
    assert seen == 70
    assert "Text 1." in page


def test_earlier_messages_are_a_page_of_their_own_without_javascript(
    conversation: SmartConversation, signed_in: Client
) -> None:
    fill(conversation, 40)
    link = reverse("polly:earlier", args=[conversation.external_id, 11])
    page = signed_in.get(link).content.decode()
    assert "<html" in page
    assert "Text 10." in page
    assert "Text 11." not in page


def test_running_chat_refreshes_itself_without_javascript(
    conversation: SmartConversation, signed_in: Client
) -> None:
    Message.objects.create(
        conversation=conversation, party="ASSISTANT", status=Message.Status.PENDING
    )
    page = signed_in.get(conversation.get_absolute_url()).content.decode()
    assert '<noscript><meta http-equiv="refresh"' in page


def test_visitor_may_look_where_the_site_allows_it(settings: Any) -> None:
    settings.POLLY = {**settings.POLLY, "ALLOW_ANONYMOUS": True}
    assert Client().get(LIST).status_code == HTTPStatus.OK


def test_inactive_users_are_nobody(
    conversation: SmartConversation, signed_in: Client, user: User
) -> None:
    user.is_active = False
    user.save()
    response = signed_in.get(conversation.get_absolute_url())
    assert response.status_code == HTTPStatus.FOUND


# Every route, by every kind of person. A route without a row here fails.
ROUTES = {
    "conversations": ("get", "own"),
    "conversation": ("get", "object"),
    "earlier": ("get", "object"),
    "send": ("post", "object"),
    "stop": ("post", "object"),
    "regenerate": ("post", "object"),
    "continue": ("post", "object"),
    "switch": ("post", "object"),
    "afresh": ("get", "object"),
    "message": ("get", "object"),
    "source": ("get", "object"),
    "edit": ("get", "object"),
    "comment": ("get", "object"),
    "feedback": ("post", "object"),
    "draft": ("post", "object"),
    "unqueue": ("post", "object"),
    "release": ("post", "object"),
    "archived": ("get", "own"),
    "search": ("get", "own"),
    "rename": ("get", "object"),
    "pin": ("post", "object"),
    "archive": ("post", "object"),
    "delete": ("post", "object"),
    "restore": ("post", "deleted"),
}
NAMING_A_MESSAGE = ("stop", "regenerate", "continue", "switch", "unqueue", "release")
OPEN_ROUTES = {"health"}
"""For everybody, and with nothing of anybody: see test_health."""


def address(name: str, conversation: SmartConversation) -> str:
    key = conversation.external_id
    message = conversation.messages.last()
    reply = [key, message.external_id if message else key]
    args: dict[str, list[Any]] = {
        **{each: [] for each in ("conversations", "archived", "search")},
        "earlier": [key, 1],
        **dict.fromkeys(NAMING_A_MESSAGE, reply),
        **dict.fromkeys(("message", "source", "edit", "comment"), reply),
        "feedback": [*reply, "good"],
    }
    return reverse(f"polly:{name}", args=args.get(name, [conversation.external_id]))


def test_every_route_has_a_row() -> None:
    resolver = get_resolver()
    _prefix, polly = resolver.namespace_dict["polly"]
    names = {key for key in polly.reverse_dict if isinstance(key, str)}
    assert names == set(ROUTES) | OPEN_ROUTES


@pytest.mark.parametrize("name", ROUTES)
def test_route_asks_nobody_to_sign_in(
    conversation: SmartConversation, name: str
) -> None:
    method, _rule = ROUTES[name]
    response = getattr(Client(), method)(address(name, conversation))
    assert response.status_code == HTTPStatus.FOUND
    assert response.headers["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("name", ROUTES)
def test_route_shows_nothing_of_another_person(
    conversation: SmartConversation, other_user: User, name: str
) -> None:
    conversation.title = "SECRET"
    conversation.save()
    fill(conversation, 3)
    method, rule = ROUTES[name]
    for is_staff in (False, True):
        other_user.is_staff = other_user.is_superuser = is_staff
        other_user.save()
        client = Client()
        client.force_login(other_user)
        response = getattr(client, method)(address(name, conversation))
        expected = HTTPStatus.OK if rule == "own" else HTTPStatus.NOT_FOUND
        assert response.status_code == expected
        assert b"SECRET" not in response.content
        assert b"Text 1." not in response.content
    assert conversation.messages.count() == 3


@pytest.mark.parametrize("name", ROUTES)
def test_post_needs_the_csrf_token(
    conversation: SmartConversation, user: User, name: str
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    response = client.post(address(name, conversation), {"message": "Hi"})
    assert response.status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("name", ROUTES)
def test_no_answer_is_kept_by_caches(
    conversation: SmartConversation, signed_in: Client, name: str
) -> None:
    fill(conversation, 3)
    method, _rule = ROUTES[name]
    response = getattr(signed_in, method)(address(name, conversation))
    # The site's own pages of what is refused say nothing of anybody.
    if response.content and response.status_code < HTTPStatus.BAD_REQUEST:
        assert {"private", "no-store"} <= set(
            response.headers["Cache-Control"].split(", ")
        )


@pytest.mark.parametrize("name", ROUTES)
def test_get_changes_nothing(
    conversation: SmartConversation, signed_in: Client, name: str
) -> None:
    fill(conversation, 3)
    before = conversation.messages.count(), SmartConversation.objects.count()
    response = signed_in.get(address(name, conversation))
    assert before == (conversation.messages.count(), SmartConversation.objects.count())
    if ROUTES[name][0] == "post":
        assert response.status_code == HTTPStatus.METHOD_NOT_ALLOWED


def test_a_look_at_a_chat_takes_its_mark_and_only_that_writes(
    conversation: SmartConversation, signed_in: Client
) -> None:
    before = conversation.updated_at
    address = conversation.get_absolute_url()
    signed_in.get(address)
    with CaptureQueriesContext(
        connection,
    ) as seen_before:
        signed_in.get(address)
    SmartConversation.objects.update(has_new_answer=True)
    assert b"New answer" in signed_in.get(LIST).content
    with CaptureQueriesContext(connection) as first:
        signed_in.get(address)
    assert len(first) == len(seen_before) + 1
    conversation.refresh_from_db()
    assert not conversation.has_new_answer
    assert conversation.updated_at == before, "To look is no activity."
    assert b"New answer" not in signed_in.get(LIST).content


def test_nobody_elses_look_takes_a_mark(
    conversation: SmartConversation, other_user: User, client: Client
) -> None:
    SmartConversation.objects.update(has_new_answer=True)
    client.force_login(other_user)
    client.get(conversation.get_absolute_url())
    conversation.refresh_from_db()
    assert conversation.has_new_answer
