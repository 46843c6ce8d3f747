"""Take a turn: a message and the reply it asks for, stored in one transaction."""

from __future__ import annotations

import re
from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.db import transaction

from polly_htmx import access
from polly_htmx.access import Who
from polly_htmx.chat import dispatch
from polly_htmx.chat.events import TurnTaken
from polly_htmx.chat.leases import interrupt_expired
from polly_htmx.chat.limits import check_limits
from polly_htmx.conf import conf
from polly_htmx.exceptions import (
    BadFrame,
    BlankMessage,
    MessageTooLong,
    NonceReused,
    NotFound,
    ParrotRetired,
    ReplyRunning,
)
from polly_htmx.markdown import clean_text
from polly_htmx.models import Message, Parrot, SmartConversation
from polly_htmx.signals import turn_taken

NONCE = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Turn:
    """A person's Message and the reply it asks for."""

    message: Message
    reply: Message | None
    """None where a person of the staff answers."""


def take_turn(  # noqa: PLR0913  (three of them for a consumer's hooks)
    conversation: SmartConversation,
    text: str,
    *,
    who: Who,
    nonce: str | None = None,
    parrot: Parrot | None = None,
    instructions: str = "",
    context: str = "",
) -> Turn:
    """
    Store a person's message with a pending reply, and see that the reply runs.

    The same ``nonce`` with the same text returns the first turn again. ``parrot``
    answers instead of the conversation's own; ``instructions`` take the place of
    its character, and ``context`` is told after it: they are stored with the reply.

    Raises NotFound or NotAllowed (permission), BlankMessage, MessageTooLong,
    BadFrame (for the nonce), ReplyRunning, NonceReused, ParrotRetired, TooManyMessages and TooManyReplies.
    Nothing is stored then.
    """
    access.check_may_write(who, conversation)
    text = _checked(text)
    if nonce and not NONCE.fullmatch(nonce):
        raise BadFrame("a nonce that no page makes")
    parrot = parrot or conversation.parrot
    with transaction.atomic():
        # Raising the counter first takes the lock: all below is alone.
        sequence = _numbers(conversation)
        before = _turn_with(conversation, nonce)
        if before is None:
            _check_free(conversation, parrot)
            message = _message(conversation, text, who, nonce, sequence)
            reply = _reply(message, parrot, instructions, context)
            transaction.on_commit(lambda: _announce(conversation, message, reply))
            return Turn(message, reply)
        transaction.set_rollback(True)  # Give the two numbers back.
    if before.message.content != text:
        raise NonceReused
    return before


async def atake_turn(  # noqa: PLR0913  (see take_turn)
    conversation: SmartConversation,
    text: str,
    *,
    who: Who,
    nonce: str | None = None,
    parrot: Parrot | None = None,
    instructions: str = "",
    context: str = "",
) -> Turn:
    """See take_turn(). May be awaited inside a transaction of the calling thread."""
    return await sync_to_async(take_turn)(
        conversation,
        text,
        who=who,
        nonce=nonce,
        parrot=parrot,
        instructions=instructions,
        context=context,
    )


def _numbers(conversation: SmartConversation) -> int:
    try:
        return SmartConversation.objects.take_numbers(conversation.pk, 2)
    except SmartConversation.DoesNotExist:  # Deleted since it was opened.
        raise NotFound from None


def _checked(text: str) -> str:
    text = clean_text(text)
    if not text.strip():
        raise BlankMessage
    if len(text) > conf.MAX_MESSAGE_CHARS:
        raise MessageTooLong(len(text), conf.MAX_MESSAGE_CHARS)
    return text


def _turn_with(conversation: SmartConversation, nonce: str | None) -> Turn | None:
    """Return the turn that this nonce has made before, if it has."""
    if not nonce:
        return None
    message = conversation.messages.filter(nonce=nonce).first()
    if message is None:
        return None
    reply = message.children.filter(party=Message.Party.ASSISTANT).first()
    return Turn(message, reply)


def _check_free(conversation: SmartConversation, parrot: Parrot) -> None:
    if parrot.is_retired:
        raise ParrotRetired
    interrupt_expired(conversation)
    if conversation.messages.running().exists():
        raise ReplyRunning
    check_limits(conversation)


def _message(
    conversation: SmartConversation,
    text: str,
    who: Who,
    nonce: str | None,
    sequence: int,
) -> Message:
    leaf = SmartConversation.objects.values_list("current_id", flat=True)
    return Message.objects.create(
        conversation=conversation,
        parent_id=leaf.get(pk=conversation.pk),
        sequence=sequence,
        party=Message.Party.USER,
        author=who.user,
        content=text,
        nonce=nonce or None,
    )


def _reply(
    message: Message, parrot: Parrot, instructions: str, context: str
) -> Message | None:
    """Store the pending reply to a message and make it the end of the path."""
    conversation = message.conversation
    if conversation.answered_by == SmartConversation.AnsweredBy.STAFF:
        SmartConversation.objects.point_at(conversation.pk, message.pk)
        conversation.current = message
        return None
    reply = Message.objects.create(
        conversation=conversation,
        parent=message,
        sequence=message.sequence + 1,
        party=Message.Party.ASSISTANT,
        status=Message.Status.PENDING,
        version=parrot.current_version(),
        instructions=instructions,
        context=context or conversation.context,
    )
    SmartConversation.objects.point_at(conversation.pk, reply.pk)
    conversation.current = reply
    return reply


def _announce(
    conversation: SmartConversation, message: Message, reply: Message | None
) -> None:
    """Tell followers and listeners of a turn that is committed, and start its reply."""
    event = TurnTaken(message_id=message.pk, reply_id=reply.pk if reply else None)
    dispatch.announce(conversation, event)
    turn_taken.send(
        type(conversation), conversation=conversation, message=message, reply=reply
    )
