"""polly_reap: what processes that died have left behind is cleared up."""

from __future__ import annotations

import io
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from polly_htmx.access import Who
from polly_htmx.chat import take_turn
from polly_htmx.models import Message, Parrot, SmartConversation, SocketCount

pytestmark = pytest.mark.django_db


def reaped() -> list[str]:
    out = io.StringIO()
    call_command("polly_reap", stdout=out)
    return out.getvalue().splitlines()


def test_what_is_dead_is_cleared_up_and_what_lives_stays(
    parrot: Parrot, user: User
) -> None:
    now, who = timezone.now(), Who(user=user)
    replies = []
    for seconds in (-1, 20):
        own = SmartConversation.objects.create(parrot=parrot, user=user)
        reply = take_turn(own, "Hi", who=who).reply
        Message.objects.filter(pk=reply.pk).update(
            status=Message.Status.STREAMING,
            content="One two",
            lease_until=now + timedelta(seconds=seconds),
        )
        replies.append(reply)
    for name, age in (("dead", timedelta(hours=1)), ("alive", timedelta())):
        SocketCount.objects.create(
            process=uuid.uuid4(), person=name, count=1, seen_at=now - age
        )
    assert reaped() == [
        "Replies marked as interrupted: 1",
        "Socket counts removed: 1",
        "Deleted chats removed: 0",
    ]
    for reply in replies:
        reply.refresh_from_db()
    assert [reply.status for reply in replies] == ["interrupted", "streaming"]
    assert replies[0].content == "One two"
    assert SocketCount.objects.get().person == "alive"
    assert reaped() == [
        "Replies marked as interrupted: 0",
        "Socket counts removed: 0",
        "Deleted chats removed: 0",
    ]
