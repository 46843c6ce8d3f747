"""Claims: a reply is taken with the turn, by what was stored, and given back unwritten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from polly_htmx.access import Who
from polly_htmx.chat import Turn, dispatch, home, shutdown, stop_reply, take_turn
from polly_htmx.chat.claims import claim, claim_stored, release
from polly_htmx.models import Message, SmartConversation
from tests.chat.halves import reply_of
from tests.chat.test_runner import Talk, talk
from tests.patience import PATIENCE

__all__ = ["talk"]

pytestmark = pytest.mark.django_db(transaction=True)

MOST = 9
"""Queries of a turn: its transaction's two ends and the lock of PostgreSQL among them."""


@pytest.fixture
async def ended() -> AsyncIterator[None]:
    """End what a turn has begun on the test's loop."""
    yield
    await dispatch.ashutdown()


def taken(conversation: SmartConversation, text: str = "Hi") -> Turn:
    return take_turn(conversation, text, who=Who(user=conversation.user), nonce=text)


def status_of(reply: Message) -> str:
    return Message.objects.get(pk=reply.pk).status


def test_turn_takes_few_queries(conversation: SmartConversation) -> None:
    conversation.parrot.current_version()
    with CaptureQueriesContext(connection) as queries:
        taken(conversation)
    assert len(queries) <= MOST, [query["sql"] for query in queries]


def test_stored_reply_is_claimed_as_its_row_says(
    conversation: SmartConversation,
) -> None:
    reply = reply_of(taken(conversation))
    with CaptureQueriesContext(connection) as queries:
        claimed = claim_stored(reply)
    assert claimed is not None
    assert len(queries) == 1, "What is at hand was read again."
    row = Message.objects.get(pk=reply.pk)
    for name in ("status", "lease_owner", "lease_until", "started_at", "version"):
        assert getattr(claimed.reply, name) == getattr(row, name), name
    assert claimed.prompt.text == "Hi"
    assert claimed.prompt.history == []
    # The caller's own is as it was when the turn was taken.
    assert (reply.status, reply.lease_owner) == ("pending", None)


def test_claims_of_both_ways_ask_the_same(conversation: SmartConversation) -> None:
    reply = reply_of(taken(conversation, "one"))
    Message.objects.filter(pk=reply.pk).update(status="complete", content="Fine.")
    reply = reply_of(taken(conversation, "two"))
    ours = claim_stored(reply)
    assert ours is not None
    release(ours)
    again = claim(reply.pk)
    assert again is not None
    assert ours.prompt == again.prompt
    assert [each["content"] for each in ours.prompt.history] == ["one", "Fine."]


def test_only_one_claim_succeeds(conversation: SmartConversation) -> None:
    reply = reply_of(taken(conversation))
    assert claim_stored(reply) is not None
    assert claim_stored(reply) is None
    assert claim(reply.pk) is None


def test_stopped_reply_is_not_claimed(conversation: SmartConversation) -> None:
    reply = reply_of(taken(conversation))
    stop_reply(reply, who=Who(user=conversation.user))
    assert claim_stored(reply) is None


def test_released_reply_waits_for_the_next(conversation: SmartConversation) -> None:
    reply = reply_of(taken(conversation))
    claimed = claim_stored(reply)
    assert claimed is not None
    release(claimed)
    row = Message.objects.get(pk=reply.pk)
    assert (row.status, row.lease_owner, row.lease_until) == ("pending", None, None)


async def test_claim_that_meets_a_shutdown_is_given_back(
    talk: Talk, ended: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = await asyncio.to_thread(talk)
    dispatch.serve()
    said = iter([False])
    monkeypatch.setattr(shutdown, "begun", lambda: next(said, True))
    monkeypatch.setattr(shutdown, "listen", lambda: None)
    reply = reply_of(await sync_to_async(taken)(conversation))
    row = Message.objects.filter(pk=reply.pk, status="pending", lease_owner=None)
    async with asyncio.timeout(PATIENCE):
        while not await row.filter(started_at__isnull=False).aexists():  # noqa: ASYNC110 - rows tell nobody
            await asyncio.sleep(0.01)


def test_claim_is_given_back_where_the_loop_has_ended(
    conversation: SmartConversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "is_open", lambda: True)  # And then it was no more.
    reply = reply_of(taken(conversation))
    row = Message.objects.get(pk=reply.pk)
    assert (row.status, row.lease_owner) == ("pending", None)
    assert row.started_at is not None, "It was not claimed at all."


def test_turn_inside_a_hosts_transaction_is_claimed_by_its_row(
    conversation: SmartConversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(
        dispatch, "announce", lambda *args: told.append((args[1], args[3]))
    )
    monkeypatch.setattr(home, "is_open", lambda: True)
    with transaction.atomic():
        reply = reply_of(taken(conversation))
        Message.objects.filter(pk=reply.pk).update(instructions="Be brief.")
    [(event, claimed)] = told
    assert claimed is None
    assert event.rows == ()
    later = claim(reply.pk)
    assert later is not None
    assert later.prompt.system_prompt.startswith("Be brief.")
