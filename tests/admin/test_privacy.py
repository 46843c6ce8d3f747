"""Staff who may not read messages find none of their words anywhere."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from polly_htmx.models import SmartConversation
from tests.admin.conftest import say

CANARY = "canary-of-a-person"


@pytest.fixture
def private(conversation: SmartConversation) -> SmartConversation:
    """Return a conversation with private words wherever there can be some."""
    conversation.title = f"Title {CANARY}"
    conversation.context = f"Context {CANARY}"
    conversation.save()
    say(conversation, f"Question {CANARY}", f"Answer {CANARY}")
    return conversation


def addresses(conversation: SmartConversation) -> list[str]:
    """Return every page of the admin that concerns a conversation."""
    message = conversation.messages.first()
    assert message is not None
    pages = ("change", "delete", "history")
    conversations = [
        reverse(f"admin:polly_htmx_smartconversation_{page}", args=[conversation.pk])
        for page in (*pages, "transcript")
    ]
    messages = [
        reverse(f"admin:polly_htmx_message_{page}", args=[message.pk]) for page in pages
    ]
    return [
        "/admin/",
        "/admin/polly_htmx/",
        "/admin/polly_htmx/smartconversation/",
        f"/admin/polly_htmx/smartconversation/?q={CANARY}",
        "/admin/polly_htmx/smartconversation/?o=2",
        "/admin/polly_htmx/message/",
        f"/admin/polly_htmx/message/?q={CANARY}",
        f"/admin/polly_htmx/parrot/{conversation.parrot_id}/change/",
        f"/admin/polly_htmx/parrot/{conversation.parrot_id}/history/",
        f"/admin/search/?s={CANARY}",
        *conversations,
        *messages,
    ]


def test_no_page_shows_words_to_staff_who_may_not_read(
    limited: Client, private: SmartConversation
) -> None:
    for address in addresses(private):
        page = limited.get(address).content.decode()
        # What was asked for is in the address and may be shown again.
        shown = page.replace(f'value="{CANARY}"', "").replace(f"q={CANARY}", "")
        assert CANARY not in shown, address


def test_search_does_not_tell_whether_a_title_holds_a_word(
    limited: Client, viewer: Client, private: SmartConversation
) -> None:
    address = f"/admin/polly_htmx/smartconversation/?q={CANARY}"
    assert limited.get(address).context["cl"].result_count == 0
    assert viewer.get(address).context["cl"].result_count == 1


@pytest.mark.parametrize(
    "query",
    [
        f"title__contains={CANARY}",
        f"messages__content__contains={CANARY}",
        f"current__content__contains={CANARY}",
        f"context__contains={CANARY}",
    ],
)
def test_address_cannot_ask_for_words_either(
    limited: Client, private: SmartConversation, query: str
) -> None:
    asked = limited.get(f"/admin/polly_htmx/smartconversation/?{query}")
    assert asked.status_code == 400 or asked.context["cl"].result_count == 1
    wrong = query.replace(CANARY, "something-else")
    again = limited.get(f"/admin/polly_htmx/smartconversation/?{wrong}")
    assert again.status_code == asked.status_code


def test_history_keeps_no_title_after_a_deletion(
    admin_client: Client, private: SmartConversation
) -> None:
    address = reverse("admin:polly_htmx_smartconversation_delete", args=[private.pk])
    admin_client.post(address, {"post": "yes"})
    assert CANARY not in admin_client.get("/admin/").content.decode()
