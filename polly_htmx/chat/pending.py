"""Pending replies: whether one may begin, its row, and the word of it."""

from __future__ import annotations

from django.db import transaction

from polly_htmx.chat import dispatch
from polly_htmx.chat.allowances import reserve
from polly_htmx.chat.conversations import state_of
from polly_htmx.chat.events import PathChanged
from polly_htmx.chat.leases import interrupt_expired
from polly_htmx.chat.limits import check_limits, lock_owner
from polly_htmx.chat.standing import Standing, standing_of
from polly_htmx.exceptions import NotFound, ParrotRetired, ReplyRunning
from polly_htmx.models import Message, Parrot, SmartConversation


def conversation_of(message: Message) -> SmartConversation:
    """Return a message's conversation; raises NotFound if it was deleted meanwhile."""
    try:
        return message.conversation
    except SmartConversation.DoesNotExist:
        raise NotFound from None


def take_place(
    conversation: SmartConversation, count: int, nonce: str | None = None
) -> Standing:
    """
    Reserve the last ``count`` sequence numbers, and be alone in the conversation.

    Comes first in each transaction that changes a conversation's path: raising the
    counter, be it by nothing, takes the lock, and lock_owner() the second one. What
    is returned stays true until the transaction ends. Raises NotFound if the
    conversation was deleted since it was opened.
    """
    rows = SmartConversation.objects
    if not rows.raise_counter(conversation.pk, count, deleted_at=None):
        raise NotFound
    lock_owner(conversation)
    return standing_of(conversation, nonce)


def check_free(
    conversation: SmartConversation, parrot: Parrot, standing: Standing
) -> None:
    """
    Raise unless a reply may begin: ParrotRetired, ReplyRunning, TooManyMessages or
    TooManyReplies.
    """
    if parrot.is_retired:
        raise ParrotRetired
    # Most often nothing runs, and then nothing can have died.
    if standing.running:
        interrupt_expired(conversation)
        if conversation.messages.running().exists():
            raise ReplyRunning
    if standing.is_near_limits:
        check_limits(conversation)


def new_reply(
    conversation: SmartConversation,
    parrot: Parrot,
    *,
    parent_id: int,
    sequence: int,
    instructions: str,
    context: str,
) -> Message:
    """
    Store a pending reply and make it the end of the path.

    Raises OwnDayUsedUp or ParrotsDayUsedUp where a daily cap leaves no room for it.
    """
    reply = Message(
        conversation=conversation,
        parent_id=parent_id,
        sequence=sequence,
        party=Message.Party.ASSISTANT,
        status=Message.Status.PENDING,
        version=parrot.current_version(),
        instructions=instructions,
        context=context,
    )
    reserve(reply, parrot)
    Message.objects.insert(reply)
    point_at(conversation, reply)
    return reply


def point_at(conversation: SmartConversation, leaf: Message) -> None:
    """Make a message the end of the path, in the row and in the given object."""
    now = SmartConversation.objects.point_at(conversation.pk, leaf.pk)
    conversation.current, conversation.updated_at = leaf, now


def announce_path(conversation: SmartConversation, reply: Message) -> None:
    """Once committed, tell that the path has changed, and see that its reply runs."""
    event = PathChanged(state=state_of(conversation))
    transaction.on_commit(lambda: dispatch.announce(conversation, event, reply.pk))
