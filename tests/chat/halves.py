"""The two halves of a turn, where a test knows that they are there; and who retires."""

from __future__ import annotations

from django.utils import timezone

from polly_htmx.chat import Turn
from polly_htmx.models import Message, Parrot


def reply_of(turn: Turn) -> Message:
    """Return the reply that a turn asked for."""
    assert turn.reply is not None
    return turn.reply


def question_of(reply: Message) -> Message:
    """Return the message that a reply answers."""
    assert reply.parent is not None
    return reply.parent


def retire(parrot: Parrot) -> None:
    """Let a Parrot take no further turns."""
    parrot.retired_at = timezone.now()
    parrot.save()
