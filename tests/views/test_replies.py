"""The buttons beside answers, for browsers without scripts or without a line."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from polly_htmx.access import Who
from polly_htmx.chat import take_turn
from polly_htmx.consumers import SmartGPTConsumer
from polly_htmx.exceptions import NotFound
from polly_htmx.models import Message, SmartConversation

pytestmark = pytest.mark.django_db


class ClosedConsumer:
    """A site's consumer class that lets nobody in."""

    async def open_as(self, _who: Who, _key: str) -> None:
        raise NotFound


@pytest.fixture
def reply(conversation: SmartConversation) -> Message:
    """Return a reply that nobody has begun to write."""
    turn = take_turn(conversation, "Hi", who=Who(user=conversation.user))
    assert turn.reply is not None
    return turn.reply


def press(client: Client, action: str, reply: Message, **options: Any) -> Any:
    key = reply.conversation.external_id
    return client.post(
        reverse(f"polly:{action}", args=[key, reply.external_id]), **options
    )


def end(reply: Message, status: str, content: str = "Some") -> None:
    Message.objects.filter(pk=reply.pk).update(status=status, content=content)


def test_stop_ends_a_reply_and_goes_back_to_the_chat(
    signed_in: Client, reply: Message
) -> None:
    response = press(signed_in, "stop", reply)
    assert response.status_code == HTTPStatus.FOUND
    assert response.headers["Location"] == reply.conversation.get_absolute_url()
    reply.refresh_from_db()
    assert reply.status == Message.Status.STOPPED


def test_regenerate_asks_once_more(signed_in: Client, reply: Message) -> None:
    end(reply, "complete")
    press(signed_in, "regenerate", reply)
    again = Message.objects.exclude(pk=reply.pk).get(party="ASSISTANT")
    assert (again.parent_id, again.status) == (reply.parent_id, "pending")


def test_continue_goes_on_with_the_same_reply(
    signed_in: Client, reply: Message
) -> None:
    end(reply, "stopped")
    press(signed_in, "continue", reply)
    reply.refresh_from_db()
    assert (reply.status, reply.content) == ("pending", "Some")


def test_what_is_refused_is_told_in_the_page(signed_in: Client, reply: Message) -> None:
    response = press(signed_in, "regenerate", reply)
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert b"still being written" in response.content
    assert Message.objects.count() == 2


@pytest.mark.parametrize("action", ["stop", "regenerate", "continue"])
def test_reply_of_another_conversation_is_not_found(
    signed_in: Client, reply: Message, action: str
) -> None:
    own = SmartConversation.objects.create(
        parrot=reply.conversation.parrot, user=reply.conversation.user
    )
    address = reverse(f"polly:{action}", args=[own.external_id, reply.external_id])
    assert signed_in.post(address).status_code == HTTPStatus.NOT_FOUND
    reply.refresh_from_db()
    assert reply.status == "pending"


def test_the_sites_consumer_class_has_a_say(
    signed_in: Client, reply: Message, settings: Any
) -> None:
    path = f"{__name__}.{ClosedConsumer.__name__}"
    settings.POLLY = {**settings.POLLY, "CONSUMER": path}
    assert press(signed_in, "stop", reply).status_code == HTTPStatus.NOT_FOUND
    reply.refresh_from_db()
    assert reply.status == "pending"


@pytest.mark.parametrize(
    ("status", "content", "labels"),
    [
        ("pending", "", ["Stop"]),
        ("streaming", "Some", ["Stop"]),
        ("complete", "Some", ["Regenerate"]),
        ("stopped", "Some", ["Continue", "Regenerate"]),
        ("interrupted", "", ["Continue", "Regenerate"]),
        ("failed", "Some", ["Continue", "Try again"]),
        ("failed", "", ["Try again"]),
    ],
)
def test_page_offers_what_can_be_done_with_the_newest_reply(
    signed_in: Client, reply: Message, status: str, content: str, labels: list[str]
) -> None:
    end(reply, status, content)
    page = signed_in.get(reply.conversation.get_absolute_url()).content.decode()
    offered = [
        label
        for label in ("Stop", "Continue", "Regenerate", "Try again")
        if f">{label}</button>" in page
    ]
    assert offered == labels


class QuietConsumer(SmartGPTConsumer):
    """A site's consumer class under which nobody may stop or send anything."""

    actions = SmartGPTConsumer.actions - {"stop", "send"}


@pytest.mark.parametrize("action", ["stop", "send"])
def test_what_the_consumer_takes_from_nobody_no_form_gets_through(
    signed_in: Client, reply: Message, settings: Any, action: str
) -> None:
    settings.POLLY = {
        **settings.POLLY,
        "CONSUMER": "tests.views.test_replies.QuietConsumer",
    }
    if action == "stop":
        response = press(signed_in, "stop", reply)
    else:
        key = reply.conversation.external_id
        response = signed_in.post(reverse("polly:send", args=[key]), {"message": "Hi"})
    assert response.status_code == HTTPStatus.FORBIDDEN
    reply.refresh_from_db()
    assert reply.status == Message.Status.PENDING
    assert Message.objects.count() == 2
