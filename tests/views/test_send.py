"""The way in without a socket: plain forms, and a chat's first message."""

from __future__ import annotations

import asyncio
import uuid
from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient, Client

from polly_htmx.access import VISITOR_KEY
from polly_htmx.chat.slots import Slot, sign
from polly_htmx.models import Message, Parrot, SmartConversation
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def send_url(conversation: SmartConversation) -> str:
    return f"{conversation.get_absolute_url()}send/"


@pytest.fixture
def slot(parrot: Parrot) -> Slot:
    return Slot(
        conversation=uuid.uuid4(), parrot=parrot.external_id, name="/", context="Home."
    )


def first_message(slot: Slot, text: str = "Hi") -> tuple[str, dict[str, str]]:
    fields = {"message": text, "nonce": "n1", "token": sign(slot)}
    return f"/polly/c/{slot.conversation}/send/", fields


def test_plain_form_takes_a_turn_and_goes_back_to_the_chat(
    conversation: SmartConversation, signed_in: Client, send_url: str
) -> None:
    response = signed_in.post(send_url, {"message": "Hi", "nonce": "n1"})
    assert response.headers["Location"] == conversation.get_absolute_url()
    assert conversation.messages.filter(content="Hi", nonce="n1").exists()


def test_refused_message_stays_in_the_composer_of_the_plain_page(
    signed_in: Client, send_url: str
) -> None:
    text = "word <b> " * 3000
    response = signed_in.post(send_url, {"message": text})
    assert response.status_code == HTTPStatus.BAD_REQUEST
    page = response.content.decode()
    assert "at most 16000" in page
    assert "word &lt;b&gt; word" in page


def test_refused_message_of_htmx_gets_the_error_alone(
    conversation: SmartConversation, signed_in: Client, send_url: str
) -> None:
    response = signed_in.post(send_url, {"message": " "}, headers=HTMX)
    page = response.content.decode()
    assert page.startswith(f'<p id="polly-error-{conversation.external_id}"')
    assert "write a message" in page


def test_first_message_makes_the_conversation_and_brings_the_line(
    signed_in: Client, slot: Slot, user: User
) -> None:
    url, fields = first_message(slot)
    page = signed_in.post(url, fields, headers=HTMX).content.decode()
    made = SmartConversation.objects.get()
    assert (made.external_id, made.user) == (slot.conversation, user)
    assert 'ws-connect="/polly/ws/smart-gpt/' in page
    assert 'data-acked="n1"' in page
    assert page.count("<article") == 2
    assert Message.objects.get(party="ASSISTANT").context == "Home."


def test_first_message_sent_twice_is_one_turn(signed_in: Client, slot: Slot) -> None:
    url, fields = first_message(slot)
    for _ in range(2):
        signed_in.post(url, fields, headers=HTMX)
    assert Message.objects.filter(party="USER").count() == 1


def test_first_message_that_is_refused_leaves_no_conversation(
    signed_in: Client, slot: Slot
) -> None:
    url, fields = first_message(slot, " ")
    for headers in (HTMX, {}):
        signed_in.post(url, fields, headers=headers)
    assert not SmartConversation.objects.exists()


def test_plain_first_message_goes_back_to_its_page(
    signed_in: Client, slot: Slot
) -> None:
    url, fields = first_message(slot)
    page = "http://testserver/help/"
    response = signed_in.post(url, fields, headers={"Referer": page})
    assert response.headers["Location"] == page


def test_nobody_is_sent_to_a_foreign_page(signed_in: Client, slot: Slot) -> None:
    url, fields = first_message(slot)
    response = signed_in.post(url, fields, headers={"Referer": "https://evil.com/"})
    assert response.headers["Location"].startswith("/polly/c/")


@pytest.mark.parametrize("change", ["forged", "other-id"])
def test_token_that_does_not_fit_is_refused_and_the_text_is_shown(
    signed_in: Client, slot: Slot, change: str
) -> None:
    url, fields = first_message(slot, "My words")
    if change == "forged":
        fields["token"] += "x"
    else:
        url = f"/polly/c/{uuid.uuid4()}/send/"
    response = signed_in.post(url, fields)
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert b"My words" in response.content
    assert not SmartConversation.objects.exists()


def test_visitor_gets_an_id_with_the_first_message(slot: Slot, settings: Any) -> None:
    settings.POLLY = {**settings.POLLY, "ALLOW_ANONYMOUS": True}
    client = Client()
    url, fields = first_message(slot)
    client.post(url, fields, headers=HTMX)
    made = SmartConversation.objects.get()
    assert str(made.visitor) == client.session[VISITOR_KEY]
    assert client.get(made.get_absolute_url()).status_code == HTTPStatus.OK
    assert Client().get(made.get_absolute_url()).status_code == HTTPStatus.NOT_FOUND


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("replies")
async def test_reply_runs_without_any_socket_under_asgi(
    conversation: SmartConversation, user: User, send_url: str
) -> None:
    client = AsyncClient()
    await client.aforce_login(user)
    await client.post(send_url, {"message": "Hi"})
    reply = await Message.objects.aget(party="ASSISTANT")
    async with asyncio.timeout(PATIENCE):
        while reply.status != "complete":
            await asyncio.sleep(0.01)
            await reply.arefresh_from_db()


def test_nul_in_a_plain_form_is_replaced(
    conversation: SmartConversation, signed_in: Client, send_url: str
) -> None:
    signed_in.post(send_url, {"message": "a\x00b"})
    assert conversation.messages.filter(content="a\ufffdb").exists()
