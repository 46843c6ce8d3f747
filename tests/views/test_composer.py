"""The composer's forms: the draft, and messages that wait, without a socket."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from polly_htmx.access import Who
from polly_htmx.chat import send_message, stop_reply, take_turn
from polly_htmx.models import Draft, Message, Parrot, QueuedMessage, SmartConversation
from tests.chat.halves import retire

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def waiting(conversation: SmartConversation, user: User) -> QueuedMessage:
    """Return a message that waits for a running reply."""
    take_turn(conversation, "One", who=Who(user=user))
    queued = send_message(conversation, "Two & more", who=Who(user=user))
    assert isinstance(queued, QueuedMessage)
    return queued


def press(client: Client, name: str, queued: QueuedMessage) -> int:
    key = queued.conversation.external_id
    address = reverse(f"polly:{name}", args=[key, queued.external_id])
    return client.post(address).status_code


def type_in(client: Client, conversation: SmartConversation, text: str) -> int:
    address = reverse("polly:draft", args=[conversation.external_id])
    return client.post(address, {"message": text, "nonce": "n1"}).status_code


def page(client: Client, conversation: SmartConversation) -> str:
    return client.get(conversation.get_absolute_url()).content.decode()


def test_draft_is_kept_and_shown_with_its_nonce(
    signed_in: Client, conversation: SmartConversation
) -> None:
    assert type_in(signed_in, conversation, "A <b>") == HTTPStatus.NO_CONTENT
    shown = page(signed_in, conversation)
    assert "A &lt;b&gt;</textarea>" in shown
    assert 'value="n1"' in shown


def test_draft_that_is_too_long_is_not_kept(
    signed_in: Client, conversation: SmartConversation
) -> None:
    status = type_in(signed_in, conversation, "x" * 16_001)
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert not Draft.objects.exists()


def test_forms_ask_for_their_token(
    user: User, conversation: SmartConversation, waiting: QueuedMessage
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert type_in(client, conversation, "Hi") == HTTPStatus.FORBIDDEN
    assert press(client, "unqueue", waiting) == HTTPStatus.FORBIDDEN
    assert press(client, "release", waiting) == HTTPStatus.FORBIDDEN


def test_others_find_neither_draft_nor_queue(
    signed_in: Client,
    conversation: SmartConversation,
    waiting: QueuedMessage,
    other_user: User,
) -> None:
    other = Client()
    other.force_login(other_user)
    assert type_in(other, conversation, "Hi") == HTTPStatus.NOT_FOUND
    for name in ("unqueue", "release"):
        assert press(other, name, waiting) == HTTPStatus.NOT_FOUND
    assert QueuedMessage.objects.exists()


def test_message_of_another_chat_is_not_taken_back_through_ones_own(
    signed_in: Client,
    parrot: Parrot,
    user: User,
    waiting: QueuedMessage,
    other_user: User,
) -> None:
    theirs = SmartConversation.objects.create(parrot=parrot, user=other_user)
    take_turn(theirs, "One", who=Who(user=other_user))
    queued = send_message(theirs, "SECRET", who=Who(user=other_user))
    assert isinstance(queued, QueuedMessage)
    key = waiting.conversation.external_id
    address = reverse("polly:unqueue", args=[key, queued.external_id])
    response = signed_in.post(address)
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert b"SECRET" not in response.content
    assert QueuedMessage.objects.filter(pk=queued.pk).exists()


def test_taken_back_text_stands_in_the_composer_before_what_was_there(
    signed_in: Client, conversation: SmartConversation, waiting: QueuedMessage
) -> None:
    assert "Two &amp; more" in page(signed_in, conversation)
    type_in(signed_in, conversation, "And then")
    assert press(signed_in, "unqueue", waiting) == HTTPStatus.FOUND
    shown = page(signed_in, conversation)
    assert "Two &amp; more\n\nAnd then</textarea>" in shown
    assert not QueuedMessage.objects.exists()


def test_text_that_the_draft_has_no_room_for_goes_on_waiting(
    signed_in: Client, conversation: SmartConversation, waiting: QueuedMessage
) -> None:
    long = "x" * 15_998
    type_in(signed_in, conversation, long)
    assert press(signed_in, "unqueue", waiting) == HTTPStatus.BAD_REQUEST
    assert QueuedMessage.objects.get().content == "Two & more"
    assert Draft.objects.get().text == long


def test_what_is_gone_can_not_be_taken_back(
    signed_in: Client, waiting: QueuedMessage
) -> None:
    waiting.delete()
    assert press(signed_in, "unqueue", waiting) == HTTPStatus.BAD_REQUEST


def test_held_queue_is_released(
    signed_in: Client,
    conversation: SmartConversation,
    waiting: QueuedMessage,
    user: User,
) -> None:
    stop_reply(Message.objects.running().get(), who=Who(user=user))
    assert "Not sent yet" in page(signed_in, conversation)
    assert press(signed_in, "release", waiting) == HTTPStatus.FOUND
    assert Message.objects.filter(content="Two & more").exists()


def test_page_moves_on_what_a_process_has_left_behind(
    signed_in: Client, conversation: SmartConversation, waiting: QueuedMessage
) -> None:
    Message.objects.running().update(status="complete")
    assert "Two &amp; more</div>" not in page(signed_in, conversation)
    assert Message.objects.filter(content="Two & more").exists()


def test_chat_with_a_retired_parrot_says_so(
    signed_in: Client, conversation: SmartConversation, settings: LazySettings
) -> None:
    retire(conversation.parrot)
    assert "polly-retired" in page(signed_in, conversation)
    # Another one may stand in there.
    own = "tests.views.test_replies.QuietConsumer"
    settings.POLLY = {**settings.POLLY, "CONSUMER": own}
    assert "polly-retired" not in page(signed_in, conversation)


def test_starter_is_sent_by_a_plain_form(
    signed_in: Client, conversation: SmartConversation
) -> None:
    address = reverse("polly:send", args=[conversation.external_id])
    signed_in.post(address, {"message": "", "starter": "Sing"})
    assert Message.objects.get(party="USER").content == "Sing"
