"""The pages of the list and the archive: each is kept up by a socket of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from polly_htmx.access import Who
from polly_htmx.chat import shelf, start_conversation, take_turn
from polly_htmx.consumers import watch
from polly_htmx.consumers.inbox import BURST
from polly_htmx.models import Message, Parrot, SmartConversation, SocketCount
from tests.sockets import chat_path, page

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("replies"),
]
PATH = "/polly/ws/list/?list=mine&lang=en"


async def do(deed: Callable[..., Any], *args: object, **kwargs: object) -> Any:
    return await sync_to_async(deed)(*args, **kwargs)


async def test_the_page_names_its_socket_and_shows_what_changes(
    conversation: SmartConversation, signed_in: Client, user: User, parrot: Parrot
) -> None:
    who = Who(user=user)
    response = await do(signed_in.get, "/polly/")
    path = response.content.decode().split('ws-connect="')[1].split('"')[0]
    async with page(path.replace("&amp;", "&"), signed_in) as tab:
        await do(shelf.rename, conversation, "A <new> name", who=who)
        frame = await tab.until(f"polly-link-{conversation.external_id}")
        assert "A &lt;new&gt; name" in frame
        assert "polly-heading" not in frame
        assert "polly-item__meta" in frame, "As it stands on this page, not beside one."
        await do(take_turn, conversation, "Hello", who=who)
        await tab.until(f"polly-link-{conversation.external_id}", "New answer")
        fresh = await do(start_conversation, parrot, who=who)
        await do(shelf.rename, fresh, "Fresh", who=who)
        await tab.until("afterbegin:#polly-list-new", "Fresh")
        await do(shelf.delete, fresh, who=who)
        await tab.until(f"#polly-item-{fresh.external_id}:not(", "was deleted.")


async def test_its_own_deeds_are_told_by_their_answer_alone(
    conversation: SmartConversation, signed_in: Client, user: User
) -> None:
    who = Who(user=user)
    async with page(PATH, signed_in) as tab:
        await do(shelf.archive, conversation, who=who, archived=True, page="mine")
        await do(shelf.archive, conversation, who=who, archived=False)
        await tab.until(f"polly-link-{conversation.external_id}")
        assert not any("was archived" in frame for frame in tab.frames)


async def test_another_person_hears_nothing(
    conversation: SmartConversation, user: User, other_user: User, parrot: Parrot
) -> None:
    theirs = await do(start_conversation, parrot, who=Who(user=other_user))
    client = Client()
    await do(client.force_login, other_user)
    async with page(PATH, client) as tab:
        await do(shelf.rename, conversation, "SECRET", who=Who(user=user))
        await do(shelf.rename, theirs, "Mine", who=Who(user=other_user))
        await tab.until("Mine")
        assert "SECRET" not in "".join(tab.frames)


async def test_nobody_is_asked_to_sign_in() -> None:
    async with page(PATH) as tab:
        assert await tab.close_code() == 4401
    (frame,) = tab.frames
    assert 'id="polly-line-list"' in frame
    assert "/accounts/login/?next=%2Fpolly%2F" in frame
    assert not await SocketCount.objects.aexists()


async def test_who_signs_out_is_taken_off_the_line(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "ROUND", 0.2)
    async with page(PATH, signed_in) as tab:
        await Session.objects.all().adelete()
        assert await tab.close_code() == 4401
    assert "Sign in" in tab.frames[-1]


async def test_sockets_of_lists_count_and_a_flood_is_ended(
    signed_in: Client, settings: Any
) -> None:
    settings.POLLY = {**settings.POLLY, "MAX_SOCKETS": 1}
    async with page(PATH, signed_in) as tab:
        async with page(PATH, signed_in) as second:
            assert await second.close_code() == 4429
        for _ in range(BURST + 2):
            await tab.raw("x")
        assert await tab.close_code() == 4429


async def test_visitor_without_a_chat_has_no_list_to_follow(settings: Any) -> None:
    settings.POLLY = {**settings.POLLY, "ALLOW_ANONYMOUS": True}
    response = await do(Client().get, "/polly/")
    assert b"ws-connect" not in response.content


async def test_page_that_comes_back_is_shown_what_it_missed(
    conversation: SmartConversation,
    signed_in: Client,
    user: User,
    other_user: User,
    parrot: Parrot,
) -> None:
    """By a page as of a moment ago, as after a line that was down."""
    who = Who(user=user)
    old = await do(start_conversation, parrot, who=who)
    long_ago = timezone.now() - timedelta(hours=1)
    for table in (SmartConversation, Message):
        await table.objects.aupdate(created_at=long_ago, updated_at=long_ago)
    at = int((timezone.now().timestamp() - 60) * 1000)
    await do(start_conversation, parrot, who=Who(user=other_user))
    fresh = await do(start_conversation, parrot, who=who)
    await SmartConversation.objects.filter(pk=conversation.pk).aupdate(
        updated_at=timezone.now(), title="Moved", has_new_answer=True
    )
    for path in (
        f"{PATH}&at={at}",
        chat_path(old.external_id, query=f"?list=1&at={at}"),
    ):
        async with page(path, signed_in) as tab:
            frame = await tab.until("afterbegin:#polly-list-new")
            assert f'id="polly-item-{fresh.external_id}" hx-swap-oob="delete"' in frame
            await tab.until(f"polly-link-{conversation.external_id}", "New answer")
            assert len(tab.frames) == 2
    for path in (PATH, f"{PATH}&at={at + 3_600_000}", f"{PATH}&at=x"):
        async with page(path, signed_in) as tab:
            await do(shelf.rename, fresh, "Named", who=who)
            await tab.until("Named")
            assert len(tab.frames) == 1


async def test_the_archive_shows_what_comes_and_what_goes(
    conversation: SmartConversation, signed_in: Client, user: User, parrot: Parrot
) -> None:
    who = Who(user=user)
    row = f"polly-item-{conversation.external_id}"
    response = await do(signed_in.get, "/polly/archived/")
    path = response.content.decode().split('ws-connect="')[1].split('"')[0]
    async with page(path.replace("&amp;", "&"), signed_in) as tab:
        for _ in range(2):
            await do(shelf.archive, conversation, who=who)
            frame = await tab.until("afterbegin:#polly-list-new")
            assert f'id="{row}" hx-swap-oob="delete"' in frame
            assert "Unarchive" in frame
            await do(shelf.rename, conversation, "A <new> name", who=who)
            frame = await tab.until("A &lt;new&gt; name")
            assert "afterbegin" not in frame
            await do(shelf.archive, conversation, who=who, archived=False)
            frame = await tab.until(f"#{row}:not(", "is back in the list.")
            assert 'name="archived" value="1"' in frame, "Undo archives it again."
        await do(shelf.archive, conversation, who=who)
        await do(shelf.delete, conversation, who=who)
        await tab.until(f"#{row}:not(", "was deleted.")
        await do(shelf.restore, conversation.external_id, who=who)
        await tab.until(f"#{row}.polly-item--gone")


async def test_the_archive_that_comes_back_is_shown_what_it_missed(
    conversation: SmartConversation, signed_in: Client, user: User, parrot: Parrot
) -> None:
    at = int((timezone.now().timestamp() - 60) * 1000)
    await do(start_conversation, parrot, who=Who(user=user))
    old = await do(start_conversation, parrot, who=Who(user=user))
    await SmartConversation.objects.filter(pk=old.pk).aupdate(
        archived_at=timezone.now() - timedelta(hours=1)
    )
    await do(shelf.archive, conversation, who=Who(user=user))
    async with page(f"{PATH}&place=archive&at={at}", signed_in) as tab:
        frame = await tab.until("afterbegin:#polly-list-new")
        assert str(conversation.external_id) in frame
        await do(shelf.rename, old, "Last", who=Who(user=user))
        await tab.until("Last")
        assert len(tab.frames) == 2
