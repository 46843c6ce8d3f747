"""The queue over a socket: what waits, and what is said of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from polly_htmx.models import Draft, Message, QueuedMessage, SmartConversation
from tests.sockets import page

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("replies"),
]


@pytest.fixture
async def busy(conversation: SmartConversation) -> Message:
    """Return a reply that stays as it is until the test ends it."""
    return await Message.objects.acreate(
        conversation=conversation, party="ASSISTANT", status="waiting"
    )


async def act(tab: Any, action: str, target: object) -> None:
    await tab.raw(json.dumps({"action": action, "target": str(target)}))


async def test_what_waits_is_acknowledged_and_shown_to_every_tab(
    conversation: SmartConversation, signed_in: Client, busy: Message
) -> None:
    key = conversation.external_id
    async with page(key, signed_in) as one, page(key, signed_in) as two:
        await one.send("Hello <b>", nonce="n1")
        for tab in (one, two):
            await tab.until("polly-queue__item", "Hello &lt;b&gt;")
        if not any('data-acked="n1"' in frame for frame in one.frames):
            await one.until('data-acked="n1"')
        assert not any('data-acked="n1"' in frame for frame in two.frames)
    assert await QueuedMessage.objects.acount() == 1


async def test_taken_back_goes_to_the_tab_that_asked(
    conversation: SmartConversation, signed_in: Client, busy: Message
) -> None:
    key = conversation.external_id
    async with page(key, signed_in) as one, page(key, signed_in) as two:
        await one.send("Hello <b>")
        await two.until("polly-queue__item")
        queued = await QueuedMessage.objects.aget()
        await act(two, "unqueue", queued.external_id)
        assert "Hello &lt;b&gt;" in await two.until("data-polly-back")
        while "polly-queue__item" in await one.until("polly-queue-"):
            pass
        assert not any("data-polly-back" in frame for frame in one.frames)
    assert not await QueuedMessage.objects.aexists()


async def test_taken_back_is_kept_whatever_becomes_of_the_line(
    conversation: SmartConversation, signed_in: Client, busy: Message
) -> None:
    draft = await Draft.objects.acreate(
        conversation=conversation, text="And more", nonce="mine"
    )
    async with page(conversation.external_id, signed_in) as tab:
        await tab.send("Hello")
        await tab.until("polly-queue__item")
        queued = await QueuedMessage.objects.aget()
        await act(tab, "unqueue", queued.external_id)
        # The page goes on with the draft's nonce: sent from there, it is none any more.
        await tab.until("data-polly-back", 'value="mine"')
    await draft.arefresh_from_db()
    assert draft.text == "Hello\n\nAnd more"


async def test_text_that_the_draft_has_no_room_for_goes_on_waiting(
    conversation: SmartConversation, signed_in: Client, busy: Message
) -> None:
    long = "x" * 15_998
    await Draft.objects.acreate(conversation=conversation, text=long, nonce="mine")
    async with page(conversation.external_id, signed_in) as tab:
        await tab.send("Hello")
        await tab.until("polly-queue__item")
        queued = await QueuedMessage.objects.aget()
        await act(tab, "unqueue", queued.external_id)
        await tab.until("polly-error-", "16")
    assert await QueuedMessage.objects.aexists()
    assert (await Draft.objects.aget()).text == long


@pytest.mark.parametrize("target", ["", "x", "6a5a8c04-5fbd-4f0e-8f9d-000000000000"])
async def test_what_is_not_there_any_more_is_told_and_shown(
    conversation: SmartConversation, signed_in: Client, busy: Message, target: str
) -> None:
    async with page(conversation.external_id, signed_in) as tab:
        for action in ("unqueue", "release"):
            await act(tab, action, target)
            await tab.until("polly-error-", "not there any more")


async def test_page_that_comes_back_is_shown_what_waits(
    conversation: SmartConversation, signed_in: Client, busy: Message
) -> None:
    async with page(conversation.external_id, signed_in) as tab:
        await tab.send("Hello")
        await tab.until("polly-queue__item")
    async with page(conversation.external_id, signed_in) as tab:
        await tab.until("polly-queue__item")
