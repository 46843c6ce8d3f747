"""The list beside a chat: what other tabs and other chats do shows by itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client

from polly_htmx.access import Who
from polly_htmx.chat import shelf, start_conversation, take_turn
from polly_htmx.models import Parrot, SmartConversation
from tests.sockets import Page, page

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("replies"),
]
LISTED = "?list=1"


@pytest.fixture
def other(parrot: Parrot, user: User) -> SmartConversation:
    return SmartConversation.objects.create(parrot=parrot, user=user)


async def do(deed: Callable[..., object], *args: object, **kwargs: object) -> None:
    await sync_to_async(deed)(*args, **kwargs)


async def test_a_new_title_of_another_chat_shows(
    conversation: SmartConversation,
    other: SmartConversation,
    signed_in: Client,
    user: User,
) -> None:
    async with page(conversation.external_id, signed_in, query=LISTED) as tab:
        await do(shelf.rename, other, "A new <name>", who=Who(user=user))
        frame = await tab.until(f"polly-link-{other.external_id}")
        assert "A new &lt;name&gt;" in frame
        assert "polly-heading" not in frame
        await do(shelf.rename, conversation, "Mine", who=Who(user=user))
        await tab.until(f"polly-link-{conversation.external_id}", "polly-heading")


async def test_an_answer_elsewhere_shows_with_a_mark(
    conversation: SmartConversation,
    other: SmartConversation,
    signed_in: Client,
    user: User,
) -> None:
    async with page(conversation.external_id, signed_in, query=LISTED) as tab:
        await do(take_turn, other, "Hello", who=Who(user=user))
        await tab.until(f"polly-link-{other.external_id}", "New answer")
        await tab.send("Hello")
        frame = await tab.until(f"polly-link-{conversation.external_id}")
        assert "New answer" not in frame


async def test_a_chat_that_is_new_comes_on_top_once(
    conversation: SmartConversation, signed_in: Client, user: User, parrot: Parrot
) -> None:
    who = Who(user=user)
    async with page(conversation.external_id, signed_in, query=LISTED) as tab:
        made = await sync_to_async(start_conversation)(parrot, who=who)
        await do(shelf.rename, made, "Fresh", who=who)
        await tab.until("afterbegin:#polly-list-new", "Fresh")
        await do(shelf.rename, made, "Fresher", who=who)
        assert "afterbegin" not in await tab.until("Fresher")


async def test_a_chat_that_goes_leaves_its_way_back(
    conversation: SmartConversation,
    other: SmartConversation,
    signed_in: Client,
    user: User,
) -> None:
    who = Who(user=user)
    async with page(conversation.external_id, signed_in, query=LISTED) as tab:
        await do(shelf.delete, other, who=who)
        await tab.until(f"#polly-item-{other.external_id}:not(", "was deleted.")
        await do(shelf.restore, other.external_id, who=who)
        await tab.until(f"#polly-item-{other.external_id}.polly-item--gone")


async def test_only_those_hear_whose_list_it_is_and_who_show_it(
    conversation: SmartConversation,
    other: SmartConversation,
    signed_in: Client,
    other_user: User,
    parrot: Parrot,
    user: User,
) -> None:
    strange = await SmartConversation.objects.acreate(parrot=parrot, user=other_user)
    client = Client()
    await sync_to_async(client.force_login)(other_user)
    who = Who(user=user)
    async with (
        page(conversation.external_id, signed_in, query=LISTED) as listed,
        page(conversation.external_id, signed_in) as bare,
        page(strange.external_id, client, query=LISTED) as theirs,
    ):
        await do(shelf.rename, other, "SECRET", who=who)
        await listed.until("SECRET")
        for tab in (bare, theirs):
            await tab.send("Hello")
            await ended(tab)
            assert "SECRET" not in "".join(tab.frames)


async def ended(tab: Page) -> None:
    await tab.until('data-status="complete"')


async def test_a_deleted_chat_takes_its_page_off_the_line(
    conversation: SmartConversation, signed_in: Client, user: User
) -> None:
    async with page(conversation.external_id, signed_in, query=LISTED) as tab:
        await do(shelf.delete, conversation, who=Who(user=user))
        await tab.send("Hello")
        assert await tab.close_code() == 4404
