"""Leases: find the replies whose runner died, and mark them interrupted."""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone

from polly_htmx.chat import layer
from polly_htmx.chat.events import ReplyEnded
from polly_htmx.llm.exceptions import Interrupted
from polly_htmx.models import Message, SmartConversation
from polly_htmx.signals import reply_finished

logger = logging.getLogger(__name__)


def interrupt_expired(conversation: SmartConversation | None = None) -> int:
    """
    Mark replies as interrupted whose lease has run out; return how many.

    Looks at one conversation, or at all. The text to the last checkpoint stays.
    Each row is changed under the condition that found it, so that of several
    processes only one announces the end.
    """
    now = timezone.now()
    expired = Message.objects.expired(now).select_related("conversation")
    if conversation is not None:
        expired = expired.filter(conversation=conversation)
    return sum(_interrupt(reply) for reply in expired)


def _interrupt(reply: Message) -> bool:
    now = timezone.now()
    reply.status, reply.error = Message.Status.INTERRUPTED, Interrupted.code
    reply.finished_at = now
    row = Message.objects.expired(now).filter(pk=reply.pk)
    changed = row.end(now, status=reply.status, error=reply.error)
    if changed:
        transaction.on_commit(lambda: announce_end(reply))
    return changed


def announce_end(reply: Message) -> None:
    """Tell the log, followers and listeners of a reply whose end is saved."""
    conversation = reply.conversation
    logger.info(
        "reply ended conversation=%s reply=%s status=%s error=%s",
        conversation.external_id,
        reply.external_id,
        reply.status,
        reply.error or "-",
    )
    SmartConversation.objects.filter(pk=conversation.pk).update(
        updated_at=timezone.now()
    )
    layer.publish(conversation, ReplyEnded(reply_id=reply.pk))
    reply_finished.send(type(conversation), conversation=conversation, message=reply)
