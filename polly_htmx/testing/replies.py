"""Replies: run where no server does, as in a test with Django's client."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polly_htmx.models import Message


def run_replies() -> list[Message]:
    """Run all replies that wait for a process, to their ends, and return them."""
    from polly_htmx.chat import run_reply
    from polly_htmx.models import Message

    waiting = Message.objects.running().filter(status=Message.Status.PENDING)
    replies = list(waiting.order_by("pk"))
    for reply in replies:
        run_reply(reply)
        reply.refresh_from_db()
    return replies
