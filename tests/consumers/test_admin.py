"""SmartGPTConsumerAdmin: staff with the permission, and nobody else."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission, User
from django.test import Client

from polly_htmx.models import Message, SmartConversation
from tests.sockets import page

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("replies"),
]
READ = ("view_smartconversation", "view_message")


@sync_to_async
def sign_in(user: User, *codenames: str, **fields: bool) -> Client:
    for name, value in fields.items():
        setattr(user, name, value)
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


async def test_staff_with_permission_takes_part(
    conversation: SmartConversation, other_user: User
) -> None:
    client = await sign_in(other_user, *READ, "add_message", is_staff=True)
    async with page(conversation.external_id, client, admin=True) as tab:
        await tab.send("Hello", nonce="n1")
        frame = await tab.until('data-party="USER"')
        assert ">another<" in frame
        await tab.until("has answered.")
    message = await Message.objects.aget(party="USER")
    assert message.author_id == other_user.pk


async def test_staff_who_may_only_read_cannot_send(
    conversation: SmartConversation, other_user: User
) -> None:
    client = await sign_in(other_user, *READ, is_staff=True)
    async with page(conversation.external_id, client, admin=True) as tab:
        await tab.send("Hello")
        assert "not allowed" in await tab.frame()
    assert not await Message.objects.aexists()


@pytest.mark.parametrize(
    ("codenames", "fields"),
    [
        ((), {"is_staff": True}),
        (READ, {"is_staff": False}),
        (("view_smartconversation",), {"is_staff": True}),
    ],
)
async def test_others_are_refused_as_if_nothing_was_there(
    conversation: SmartConversation,
    other_user: User,
    codenames: tuple[str, ...],
    fields: dict[str, bool],
) -> None:
    await Message.objects.acreate(
        conversation=conversation, party="USER", content="SECRET"
    )
    client = await sign_in(other_user, *codenames, **fields)
    async with page(conversation.external_id, client, admin=True) as tab:
        assert await tab.close_code() == 4404
    assert "SECRET" not in "".join(tab.frames)


async def test_owner_without_staff_rights_is_refused(
    conversation: SmartConversation, signed_in: Client
) -> None:
    async with page(conversation.external_id, signed_in, admin=True) as tab:
        assert await tab.close_code() == 4404


async def test_nobody_is_asked_to_sign_in(conversation: SmartConversation) -> None:
    async with page(conversation.external_id, admin=True) as tab:
        assert await tab.close_code() == 4401


async def test_inactive_staff_is_nobody(
    conversation: SmartConversation, other_user: User
) -> None:
    client = await sign_in(other_user, *READ, is_staff=True)
    await sign_in(other_user, *READ, is_active=False)
    async with page(conversation.external_id, client, admin=True) as tab:
        assert await tab.close_code() == 4401


async def test_staff_cannot_use_the_owners_socket(
    conversation: SmartConversation, other_user: User
) -> None:
    client = await sign_in(other_user, is_staff=True, is_superuser=True)
    async with page(conversation.external_id, client) as tab:
        assert await tab.close_code() == 4404
