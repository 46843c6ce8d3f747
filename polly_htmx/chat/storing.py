"""Storing a turn: its rows, once for each nonce, and the word of it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from polly_htmx.chat import dispatch
from polly_htmx.chat.conversations import state_of
from polly_htmx.chat.drafts import Draft
from polly_htmx.chat.events import PathChanged, TurnTaken
from polly_htmx.chat.pending import check_free, new_reply, point_at, take_numbers
from polly_htmx.exceptions import NonceReused
from polly_htmx.models import Message, SmartConversation
from polly_htmx.signals import turn_taken


@dataclass(frozen=True, slots=True)
class Turn:
    """A person's Message and the reply it asks for."""

    message: Message
    reply: Message | None
    """None where a person of the staff answers."""


def store(draft: Draft) -> Turn:
    """
    Store a checked draft and its reply in one transaction, or find them there.

    Raises NotFound, ReplyRunning, NonceReused, ParrotRetired, TooManyMessages or
    TooManyReplies.
    """
    conversation = draft.conversation
    with transaction.atomic():
        sequence = take_numbers(conversation, 2)
        before = turn_with(draft)
        if before is None:
            return _write(draft, sequence)
        transaction.set_rollback(True)  # Give the two numbers back.
    # By what the hooks made of the text: the text itself is not stored.
    if not draft.is_stored_as(before.message):
        raise NonceReused
    return before


def turn_with(draft: Draft) -> Turn | None:
    """Return the turn that this draft's nonce has made before, if it has."""
    if draft.nonce is None:
        return None
    message = draft.conversation.messages.filter(nonce=draft.nonce).first()
    if message is None:
        return None
    replies = message.children.filter(party=Message.Party.ASSISTANT)
    return Turn(message, replies.order_by("sequence").first())


def _write(draft: Draft, sequence: int) -> Turn:
    """Store the rows of a turn, and have the word spread once they are committed."""
    conversation, answering = draft.conversation, draft.answering
    parrot = answering.get("parrot") or conversation.parrot
    check_free(conversation, parrot)
    message = _message(draft, sequence)
    reply = None
    if conversation.answered_by == SmartConversation.AnsweredBy.STAFF:
        point_at(conversation, message)
    else:
        reply = new_reply(
            conversation,
            parrot,
            parent_id=message.pk,
            sequence=sequence + 1,
            instructions=answering.get("instructions", ""),
            context=answering.get("context", "") or conversation.context,
        )
    turn = Turn(message, reply)
    _announce(draft, turn)
    return turn


def _message(draft: Draft, sequence: int) -> Message:
    conversation = draft.conversation
    if draft.place_of is not None:
        parent_id = draft.place_of.parent_id
    else:
        leaf = SmartConversation.objects.values_list("current_id", flat=True)
        parent_id = leaf.get(pk=conversation.pk)
    return Message.objects.create(
        conversation=conversation,
        parent_id=parent_id,
        sequence=sequence,
        party=Message.Party.USER,
        author=draft.who.user,
        content=draft.text,
        nonce=draft.nonce,
    )


def _announce(draft: Draft, turn: Turn) -> None:
    """Once a turn is committed, tell of it, and start its reply."""
    conversation, message, reply = draft.conversation, turn.message, turn.reply
    reply_id = reply.pk if reply else None
    event: TurnTaken | PathChanged = PathChanged(state=state_of(conversation))
    if draft.place_of is None:
        event = TurnTaken(
            message_id=message.pk, reply_id=reply_id, state=state_of(conversation)
        )

    def tell() -> None:
        dispatch.announce(conversation, event, reply_id)
        turn_taken.send(
            type(conversation), conversation=conversation, message=message, reply=reply
        )

    transaction.on_commit(tell)
