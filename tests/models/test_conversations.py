"""SmartConversation: whose it is and what it is called."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.auth.models import AnonymousUser, User

from polly_htmx.models import Message, Parrot, SmartConversation

pytestmark = pytest.mark.django_db


def test_owned_by_returns_only_the_users_own(
    conversation: SmartConversation, user: User, other_user: User
) -> None:
    conversations = SmartConversation.objects
    assert conversations.owned_by(user).get() == conversation
    assert not conversations.owned_by(other_user)
    assert not conversations.owned_by(AnonymousUser())
    assert not conversations.owned_by(None)


def test_visited_by_returns_only_the_visitors_own(
    parrot: Parrot, conversation: SmartConversation
) -> None:
    visitor = uuid.uuid4()
    own = SmartConversation.objects.create(parrot=parrot, visitor=visitor)
    assert SmartConversation.objects.visited_by(visitor).get() == own
    assert not SmartConversation.objects.visited_by(uuid.uuid4())
    assert not SmartConversation.objects.visited_by(None)


def test_label_is_the_title_the_first_words_or_new_chat(
    conversation: SmartConversation,
) -> None:
    found = SmartConversation.objects.with_opening()
    assert found.get().label == "New chat"
    Message.objects.create(
        conversation=conversation, party=Message.Party.USER, content="How are you?"
    )
    assert found.get().label == "How are you?"
    conversation.title = "Greetings"
    conversation.save()
    assert found.get().label == "Greetings"
    # Logs and the admin's history show no words of people.
    assert str(conversation) == str(conversation.external_id)


def test_conversation_goes_with_its_user_and_takes_its_messages_along(
    conversation: SmartConversation, user: User
) -> None:
    for party in (Message.Party.USER, Message.Party.ASSISTANT):
        Message.objects.create(conversation=conversation, party=party, content="x")
    user.delete()
    assert not Message.objects.exists()
