"""Members of the staff with different rights."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from polly_htmx.models import Message, SmartConversation

Staff = Callable[..., Client]
ROWS = ("parrot", "trick", "smartconversation", "message")
ALL_BUT_MESSAGES = [
    f"{verb}_{row}"
    for verb in ("view", "add", "change", "delete")
    for row in ROWS
    if f"{verb}_{row}" != "view_message"
]


@pytest.fixture
def staff(django_user_model: type[User]) -> Staff:
    """Return a function that signs in a member of the staff with some permissions."""

    def sign_in(*permissions: str) -> Client:
        count = django_user_model.objects.count()
        user = django_user_model.objects.create_user(f"staff{count}", is_staff=True)
        wanted = Permission.objects.filter(codename__in=permissions)
        assert wanted.count() == len(permissions)
        user.user_permissions.set(wanted)
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def viewer(staff: Staff) -> Client:
    """Return somebody who may look at everything and change nothing."""
    return staff(*(f"view_{row}" for row in ROWS))


@pytest.fixture
def limited(staff: Staff) -> Client:
    """Return somebody who may do everything but read messages."""
    return staff(*ALL_BUT_MESSAGES)


def say(conversation: SmartConversation, *texts: str) -> list[Message]:
    """Let the user and the Parrot say something in turn."""
    parties = [Message.Party.USER, Message.Party.ASSISTANT]
    return Message.objects.bulk_create(
        Message(
            conversation=conversation,
            party=parties[number % 2],
            content=text,
            author=conversation.user if number % 2 == 0 else None,
        )
        for number, text in enumerate(texts)
    )
