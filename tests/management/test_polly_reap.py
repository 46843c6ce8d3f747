"""polly_reap: what processes that died have left behind is cleared up."""

from __future__ import annotations

import io
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from polly_htmx.access import Who
from polly_htmx.chat import take_turn
from polly_htmx.models import Message, Parrot, SmartConversation, SocketCount
from polly_htmx.signals import reply_finished

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


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_keeps_what_is_done_and_leaves_the_rest(
    parrot: Parrot, user: User
) -> None:
    for _ in range(2):
        own = SmartConversation.objects.create(parrot=parrot, user=user)
        reply = take_turn(own, "Hi", who=Who(user=user)).reply
        Message.objects.filter(pk=reply.pk).update(
            status=Message.Status.STREAMING, lease_until=timezone.now()
        )

    def press(**_kwargs: Any) -> None:
        raise KeyboardInterrupt

    reply_finished.connect(press)
    try:
        with pytest.raises(CommandError, match="Stopped") as caught:
            reaped()
    finally:
        reply_finished.disconnect(press)
    assert caught.value.returncode == 130
    answers = Message.objects.filter(party=Message.Party.ASSISTANT)
    assert sorted(answers.values_list("status", flat=True)) == [
        "interrupted",
        "streaming",
    ]
    assert reaped()[0] == "Replies marked as interrupted: 1"
