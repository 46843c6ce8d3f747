"""Switching: have a conversation show another version of one of its messages."""

from __future__ import annotations

from functools import partial

from asgiref.sync import sync_to_async
from django.db import transaction

from polly_htmx import access
from polly_htmx.access import Who
from polly_htmx.chat import layer
from polly_htmx.chat.conversations import state_of
from polly_htmx.chat.events import PathChanged
from polly_htmx.chat.leases import interrupt_expired
from polly_htmx.chat.pending import conversation_of, take_place
from polly_htmx.exceptions import ReplyRunning
from polly_htmx.models import Message


def switch_version(message: Message, *, who: Who) -> Message:
    """
    Have the path go through a message, and on to the newest below it; return that.

    All pages of the conversation follow. No model is asked, so nothing counts for
    limits. Raises NotFound or NotAllowed (permission), and ReplyRunning.
    """
    conversation = conversation_of(message)
    access.check_may_write(who, conversation)
    with transaction.atomic():
        if take_place(conversation, 0).running:
            interrupt_expired(conversation)
            if conversation.messages.running().exists():
                raise ReplyRunning
        leaf = conversation.messages.get(pk=Message.objects.newest_below(message.pk))
        # It is nobody's activity: the conversation keeps its place in the list.
        type(conversation).objects.filter(pk=conversation.pk).update(current=leaf)
        conversation.refresh_from_db(fields=["current", "updated_at"])
        event = PathChanged(state=state_of(conversation))
        transaction.on_commit(partial(layer.publish, conversation, event))
    return leaf


async def aswitch_version(message: Message, *, who: Who) -> Message:
    """See switch_version()."""
    return await sync_to_async(switch_version)(message, who=who)
