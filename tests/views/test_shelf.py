"""The list over HTTP: by htmx in place, and by plain forms."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from polly_htmx.access import VISITOR_KEY, Who
from polly_htmx.chat import shelf
from polly_htmx.models import Message, Parrot, SmartConversation

pytestmark = pytest.mark.django_db
LIST = "/polly/"
HTMX = {"HX-Request": "true"}
HOSTILE = "<img src=x onerror=alert(1)>\"'{{ 7 }}\u202e"


def address(name: str, conversation: SmartConversation) -> str:
    return reverse(f"polly:{name}", args=[conversation.external_id])


def test_without_htmx_each_deed_leads_back(
    conversation: SmartConversation, signed_in: Client
) -> None:
    for name, fields in (("pin", {"pinned": "1"}), ("archive", {"archived": "1"})):
        back = f"http://testserver{conversation.get_absolute_url()}"
        sent = signed_in.post(
            address(name, conversation), fields, headers={"Referer": back}
        )
        assert sent.headers["Location"] == back
        foreign = {"Referer": "https://evil.example/"}
        sent = signed_in.post(address(name, conversation), fields, headers=foreign)
        assert sent.headers["Location"] == LIST
    sent = signed_in.post(address("rename", conversation), {"title": " New\nname "})
    assert sent.headers["Location"] == conversation.get_absolute_url()
    conversation.refresh_from_db()
    assert conversation.title == "New name"
    assert conversation.archived_at is not None


def test_a_deletion_is_told_with_its_way_back(
    conversation: SmartConversation, signed_in: Client
) -> None:
    sent = signed_in.post(address("delete", conversation))
    page = signed_in.get(sent.headers["Location"]).content.decode()
    assert "was deleted." in page
    assert address("restore", conversation) in page
    sent = signed_in.post(address("restore", conversation))
    assert sent.headers["Location"] == conversation.get_absolute_url()
    assert signed_in.get(conversation.get_absolute_url()).status_code == HTTPStatus.OK


@pytest.mark.parametrize("key", ["", "x", "11111111-2222-4333-8444-555555555555"])
def test_nobody_else_is_told_of_deletions(
    conversation: SmartConversation, signed_in: Client, key: str
) -> None:
    page = signed_in.get(f"{LIST}?deleted={key or conversation.external_id}")
    assert "was deleted" not in page.content.decode()


@pytest.mark.parametrize("place", ["side", "page", "archive", "nonsense"])
def test_htmx_gets_rows_that_say_where_they_go(
    conversation: SmartConversation, signed_in: Client, place: str
) -> None:
    row = f'id="polly-item-{conversation.external_id}"'
    deeds: list[tuple[str, dict[str, str], str]] = [
        ("pin", {"pinned": "1"}, "is pinned."),
        ("pin", {"pinned": ""}, "no longer pinned."),
        ("archive", {"archived": "1"}, "was archived."),
        ("archive", {"archived": ""}, "is back in the list."),
        ("delete", {"deleted": "1"}, "was deleted."),
        ("restore", {"deleted": ""}, "is back in the list."),
    ]
    for name, fields, said in deeds:
        sent = signed_in.post(
            address(name, conversation), {**fields, "place": place}, headers=HTMX
        )
        text = sent.content.decode()
        assert sent.status_code == HTTPStatus.OK
        assert row in text
        assert said in text
        assert "hx-swap-oob" in text
        assert "<html" not in text


def test_deleting_the_chat_one_looks_at_leads_to_the_list(
    conversation: SmartConversation, signed_in: Client
) -> None:
    key = str(conversation.external_id)
    sent = signed_in.post(
        address("delete", conversation), {"current": key}, headers=HTMX
    )
    assert sent.headers["HX-Redirect"] == f"{LIST}?deleted={key}"


def test_the_title_form_refuses_what_is_too_long(
    conversation: SmartConversation, signed_in: Client
) -> None:
    for headers in (HTMX, {}):
        sent = signed_in.post(
            address("rename", conversation), {"title": "x" * 201}, headers=headers
        )
        assert 'role="alert"' in sent.content.decode()
    signed_in.post(address("rename", conversation), {"title": "x", "keep": "1"})
    signed_in.post(address("rename", conversation))
    conversation.refresh_from_db()
    assert (conversation.title, conversation.titled_by) == ("", "")


def test_hostile_titles_and_words_are_inert(
    conversation: SmartConversation, signed_in: Client
) -> None:
    signed_in.post(address("rename", conversation), {"title": HOSTILE})
    Message.objects.create(
        conversation=conversation, party="USER", content=f"alert {HOSTILE}"
    )
    pages: list[Any] = [
        signed_in.get(LIST),
        signed_in.get(conversation.get_absolute_url()),
        signed_in.get(address("rename", conversation), headers=HTMX),
        signed_in.get(reverse("polly:search"), {"q": "alert"}),
        signed_in.get(reverse("polly:search"), {"q": HOSTILE}),
        signed_in.post(address("archive", conversation), {"archived": "1"}),
        signed_in.post(address("delete", conversation), headers=HTMX),
    ]
    for page in pages:
        assert "<img" not in page.content.decode()
    conversation.refresh_from_db()
    assert "\u202e" not in conversation.title


def test_search_shows_marked_words(
    conversation: SmartConversation, signed_in: Client
) -> None:
    Message.objects.create(
        conversation=conversation, party="USER", content="Where do parrots live?"
    )
    for headers in ({}, HTMX):
        page = signed_in.get(
            reverse("polly:search"), {"q": "parrot"}, headers=headers
        ).content.decode()
        assert '<mark class="polly-item__word">parrots</mark>' in page
        assert "1 chat found" in page
    page = signed_in.get(reverse("polly:search"), {"q": ""}).content.decode()
    assert f'id="polly-item-{conversation.external_id}"' in page


def test_archived_chats_have_a_page(
    conversation: SmartConversation, signed_in: Client, user: Any
) -> None:
    row = f'id="polly-item-{conversation.external_id}"'
    shelf.archive(conversation, who=Who(user=user))
    assert row not in signed_in.get(LIST).content.decode()
    page = signed_in.get(reverse("polly:archived")).content.decode()
    assert row in page
    assert "Unarchive" in page


def test_visitors_have_a_list_too(parrot: Parrot, settings: Any) -> None:
    settings.POLLY = {**settings.POLLY, "ALLOW_ANONYMOUS": True}
    client = Client()
    client.post(LIST, {"parrot": parrot.external_id})
    made = SmartConversation.objects.get()
    assert str(made.visitor) == client.session[VISITOR_KEY]
    client.post(address("rename", made), {"title": "Ours"})
    assert "Ours" in client.get(LIST).content.decode()
    assert "Ours" not in Client().get(LIST).content.decode()
    client.post(address("delete", made))
    assert client.get(made.get_absolute_url()).status_code == HTTPStatus.NOT_FOUND
