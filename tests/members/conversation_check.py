"""Run by test_members.py in a process of its own, with settings of its own."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from polly_htmx.models import Message, Parrot, SmartConversation
from tests.sockets import page

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("replies"),
]


# Any, since the types know the user model of tests.settings only.
async def test_member_chats_over_the_socket(django_user_model: Any) -> None:
    assert django_user_model.__name__ == "Member"
    member = await django_user_model.objects.acreate(email="a@example.com")
    parrot = await Parrot.objects.acreate(name="Polly")
    own = await SmartConversation.objects.acreate(parrot=parrot, user=member)
    client = Client()
    await client.aforce_login(member)
    async with page(own.external_id, client) as tab:
        await tab.send("Hello")
        await tab.until("has answered")
    assert await Message.objects.filter(author=member).acount() == 1


def test_member_uses_the_plain_form_within_atomic_requests(
    django_user_model: Any,
) -> None:
    member = django_user_model.objects.create(email="a@example.com")
    parrot = Parrot.objects.create(name="Polly")
    client = Client()
    client.force_login(member)
    client.post("/talk/", {"parrot": parrot.external_id})
    own = SmartConversation.objects.get()
    client.post(f"{own.get_absolute_url()}send/", {"message": "Hello"})
    assert own.messages.count() == 2
    assert "Hello" in client.get(own.get_absolute_url()).content.decode()
