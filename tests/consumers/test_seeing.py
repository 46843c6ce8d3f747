"""An answer is news until its owner's page has acknowledged it, and for others stays so."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission, User
from django.test import Client

from polly_htmx.access import Who
from polly_htmx.chat import take_turn
from polly_htmx.consumers import seeing
from polly_htmx.models import SmartConversation
from tests.patience import PATIENCE
from tests.sockets import Page, page

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("replies"),
]
ENDED = "has answered."
LIST = "/polly/ws/list/?list=mine&lang=en"


async def is_new(conversation: SmartConversation) -> bool:
    await conversation.arefresh_from_db()
    return conversation.has_new_answer


async def until_seen(conversation: SmartConversation) -> None:
    deadline = time.monotonic() + PATIENCE
    while await is_new(conversation):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def answered(tab: Page) -> None:
    """Have a question answered, and read it to its end."""
    await tab.send("Hello")
    await tab.until(ENDED)


async def acknowledge(tab: Page) -> None:
    """Say that all frames have come, and wait until that was heard."""
    await tab.send("", action="seen", target=str(len(tab.frames)))
    await tab.send("", action="unknown")
    await tab.until("polly-error")


async def test_what_a_page_has_got_is_seen_and_what_it_has_not_is_new(
    conversation: SmartConversation, signed_in: Client
) -> None:
    async with (
        page(conversation.external_id, signed_in) as tab,
        page(LIST, signed_in) as listed,
    ):
        await answered(tab)
        await listed.until(f"polly-link-{conversation.external_id}", "New answer")
        await tab.send("", action="seen", target=str(len(tab.frames) - 1))
        await tab.send("", action="unknown")
        await tab.until("polly-error")
        assert await is_new(conversation)
        await acknowledge(tab)
        assert not await is_new(conversation)
        frame = await listed.until(f"polly-link-{conversation.external_id}")
        assert "New answer" not in frame


async def test_a_page_that_goes_before_leaves_the_mark_and_the_next_takes_it(
    conversation: SmartConversation, signed_in: Client
) -> None:
    async with page(conversation.external_id, signed_in) as tab:
        await answered(tab)
    assert await is_new(conversation)
    # As a tag on a host's page: it shows what there is, and writes nothing itself.
    await conversation.arefresh_from_db()
    state = (
        f"?state={conversation.current_id}-{conversation.updated_at.timestamp():.6f}"
    )
    async with page(conversation.external_id, signed_in, query=state):
        await until_seen(conversation)


async def test_staff_who_look_on_see_nothing_for_the_owner(
    conversation: SmartConversation, user: User, django_user_model: Any
) -> None:
    staff = await sync_to_async(django_user_model.objects.create_user)(
        "staff", is_staff=True
    )
    names = ["view_smartconversation", "view_message"]
    found = Permission.objects.filter(codename__in=names)
    await sync_to_async(lambda: staff.user_permissions.set(found))()
    client = Client()
    await sync_to_async(client.force_login)(staff)
    async with page(conversation.external_id, client, admin=True) as tab:
        await sync_to_async(take_turn)(conversation, "Hello", who=Who(user=user))
        await tab.until(ENDED)
        await acknowledge(tab)
        assert await is_new(conversation)


async def test_a_database_that_is_away_costs_no_line(
    conversation: SmartConversation,
    signed_in: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails(*_args: Any, **_kwargs: Any) -> None:
        raise ConnectionError("SECRET")

    async with page(conversation.external_id, signed_in) as tab:
        with monkeypatch.context() as patched:
            patched.setattr(seeing, "see", fails)
            await answered(tab)
            await acknowledge(tab)
        assert await is_new(conversation)
        await acknowledge(tab)
        assert not await is_new(conversation)
    assert "answer not marked as seen" in caplog.text
    assert "SECRET" not in caplog.text
