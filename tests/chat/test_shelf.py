"""What people do with their chats in the list, and what is gone when it is deleted."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from polly_htmx import access
from polly_htmx.access import Who
from polly_htmx.chat import continue_reply, regenerate, shelf, take_turn
from polly_htmx.chat.conversations import conversation_in_slot
from polly_htmx.chat.search import search
from polly_htmx.exceptions import NotFound
from polly_htmx.models import Message, Parrot, SmartConversation
from tests.chat.halves import reply_of

pytestmark = pytest.mark.django_db

TitledBy = SmartConversation.TitledBy


def test_what_is_done_in_the_list_is_no_activity(
    conversation: SmartConversation, who: Who
) -> None:
    before = conversation.updated_at
    shelf.rename(conversation, "Mine", who=who)
    shelf.pin(conversation, who=who)
    conversation.refresh_from_db()
    assert (conversation.title, conversation.titled_by) == ("Mine", TitledBy.PERSON)
    assert conversation.pinned_at is not None
    assert conversation.updated_at == before


def test_archived_chats_are_not_pinned_and_pinned_ones_not_archived(
    conversation: SmartConversation, who: Who
) -> None:
    shelf.pin(conversation, who=who)
    shelf.archive(conversation, who=who)
    assert conversation.pinned_at is None
    shelf.pin(conversation, who=who)
    assert conversation.archived_at is None


@pytest.mark.parametrize("do", [shelf.pin, shelf.archive, shelf.delete])
def test_nobody_touches_the_chats_of_others(
    conversation: SmartConversation, other_user: User, do: Any
) -> None:
    other_user.is_staff = other_user.is_superuser = True
    for person in (Who(), Who(user=other_user), Who(visitor=uuid.uuid4())):
        with pytest.raises(NotFound):
            do(conversation, who=person)
        with pytest.raises(NotFound):
            shelf.rename(conversation, "Theirs", who=person)
    conversation.refresh_from_db()
    assert not conversation.title
    assert conversation.deleted_at is conversation.pinned_at is None


def test_a_deleted_chat_is_nowhere(
    parrot: Parrot, who: Who, signed_in: Client, user: User
) -> None:
    own = SmartConversation.objects.create(
        parrot=parrot, user=user, title="Seeds", slot="here"
    )
    turn = take_turn(own, "Needle", who=who)
    Message.objects.filter(pk=reply_of(turn).pk).update(status="complete", content="Y")
    stale = SmartConversation.objects.get(pk=own.pk)
    shelf.delete(own, who=who)
    staff = User.objects.create_superuser("staff")
    for person in (who, Who(user=staff)):
        with pytest.raises(NotFound):
            access.open_conversation(person, own.external_id)
        with pytest.raises(NotFound):
            access.open_as_staff(Who(user=staff), own.external_id)
    # Also for one who had opened it before.
    with pytest.raises(NotFound):
        take_turn(stale, "Hi", who=who)
    for again in (regenerate, continue_reply):
        with pytest.raises(NotFound):
            again(Message.objects.get(pk=reply_of(turn).pk), who=who)
    assert conversation_in_slot("here", who=who) is None
    assert not search("needle", who=who)
    assert not search("seeds", who=who)
    assert signed_in.get(own.get_absolute_url()).status_code == 404
    assert "Seeds" not in signed_in.get("/polly/").content.decode()


def test_deleting_stops_what_is_being_written(
    conversation: SmartConversation, who: Who
) -> None:
    pending = reply_of(take_turn(conversation, "Hi", who=who))
    shelf.delete(conversation, who=who)
    pending.refresh_from_db()
    assert pending.status == "stopped"


def test_deleting_asks_a_runner_to_stop(
    conversation: SmartConversation, who: Who
) -> None:
    reply = reply_of(take_turn(conversation, "Hi", who=who))
    soon = timezone.now() + timedelta(minutes=1)
    Message.objects.filter(pk=reply.pk).update(
        status="streaming", lease_owner=uuid.uuid4(), lease_until=soon
    )
    shelf.delete(conversation, who=who)
    reply.refresh_from_db()
    assert reply.stop_requested


def test_a_deletion_can_be_taken_back_for_a_while(
    conversation: SmartConversation, who: Who, other_user: User
) -> None:
    shelf.delete(conversation, who=who)
    with pytest.raises(NotFound):
        shelf.restore(conversation.external_id, who=Who(user=other_user))
    shelf.restore(conversation.external_id, who=who)
    assert access.open_conversation(who, conversation.external_id) == conversation
    with pytest.raises(NotFound):  # It is not deleted.
        shelf.restore(conversation.external_id, who=who)


def test_rows_go_when_the_time_is_up(
    conversation: SmartConversation, who: Who, other_user: User, parrot: Parrot
) -> None:
    Message.objects.create(conversation=conversation, party="USER", content="Hi")
    fresh = SmartConversation.objects.create(parrot=parrot, user=who.user)
    shelf.delete(conversation, who=who)
    shelf.delete(fresh, who=who)
    old = timezone.now() - shelf.KEPT - timedelta(seconds=1)
    mine = SmartConversation.objects.filter(pk=conversation.pk)
    mine.update(deleted_at=old)
    with pytest.raises(NotFound):
        shelf.restore(conversation.external_id, who=who)
    assert shelf.forget_deleted(Who(user=other_user)) == 0
    assert shelf.forget_deleted(who) == 1
    assert not mine.exists()
    assert not Message.objects.exists()
    assert SmartConversation.objects.filter(pk=fresh.pk).exists()


@pytest.mark.django_db(transaction=True)
async def test_a_turn_and_a_deletion_at_once_leave_nothing_running(
    conversation: SmartConversation, who: Who
) -> None:
    def take() -> None:
        own = SmartConversation.objects.get(pk=conversation.pk)
        for number in range(5):
            take_turn(own, f"Hi {number}", who=who)

    def delete() -> None:
        shelf.delete(SmartConversation.objects.get(pk=conversation.pk), who=who)

    both = asyncio.to_thread(take), asyncio.to_thread(delete)
    await asyncio.gather(*both, return_exceptions=True)
    assert not [each async for each in Message.objects.running()]
