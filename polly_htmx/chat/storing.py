"""Storing a turn: its rows, once for each nonce, and the word of it."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

from django.db import transaction

from polly_htmx.chat import dispatch
from polly_htmx.chat.conversations import state_of
from polly_htmx.chat.drafts import Draft
from polly_htmx.chat.events import PathChanged, TurnTaken
from polly_htmx.chat.pending import check_free, new_reply, point_at, take_place
from polly_htmx.chat.standing import Standing
from polly_htmx.exceptions import NonceReused, ReplyRunning
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

    Raises NotFound, ReplyRunning, NonceReused, ParrotRetired, TooManyMessages,
    TooManyReplies, OwnDayUsedUp or ParrotsDayUsedUp.
    """
    conversation = draft.conversation
    is_own = not transaction.get_connection().in_atomic_block
    with transaction.atomic():
        standing = take_place(conversation, 2, draft.nonce)
        if standing.before_id is None:
            return store_at(draft, standing, is_own=is_own)
        before = _turn_of(conversation.messages.get(pk=standing.before_id))
        transaction.set_rollback(True)  # Give the two numbers back.
    # By what the hooks made of the text: the text itself is not stored.
    if not draft.is_stored_as(before.message):
        raise NonceReused
    return before


def store_at(draft: Draft, standing: Standing, *, is_own: bool) -> Turn:
    """
    Store the rows of a turn where take_place() has found room; see store().

    ``is_own`` tells whether the open transaction is ours, and ends with us.
    """
    turn = _write(draft, standing)
    _announce(draft, turn, is_own=is_own)
    return turn


def turn_with(draft: Draft) -> Turn | None:
    """Return the turn that this draft's nonce has made before, if it has."""
    if draft.nonce is None:
        return None
    found = draft.conversation.messages.filter(nonce=draft.nonce)
    message = found.order_by().first()
    return None if message is None else _turn_of(message)


def _turn_of(message: Message) -> Turn:
    replies = message.children.filter(party=Message.Party.ASSISTANT)
    return Turn(message, replies.order_by("sequence").first())


def _write(draft: Draft, standing: Standing) -> Turn:
    """Store the rows of a turn."""
    conversation, answering = draft.conversation, draft.answering
    check_free(conversation, draft.parrot, standing)
    if draft.in_line and standing.queued:
        raise ReplyRunning  # Others come first.
    message = _message(draft, standing)
    reply = None
    if conversation.answered_by == SmartConversation.AnsweredBy.STAFF:
        point_at(conversation, message)
    else:
        reply = new_reply(
            conversation,
            draft.parrot,
            parent_id=message.pk,
            sequence=standing.last_sequence,
            instructions=answering.get("instructions", ""),
            context=answering.get("context", "") or conversation.context,
        )
        reply.parent = message  # Known, so that nobody needs to read it.
    return Turn(message, reply)


def _message(draft: Draft, standing: Standing) -> Message:
    place = draft.place_of
    message = Message(
        conversation=draft.conversation,
        parent_id=standing.leaf_id if place is None else place.parent_id,
        sequence=standing.last_sequence - 1,
        party=Message.Party.USER,
        author=draft.who.user,
        content=draft.text,
        nonce=draft.nonce,
    )
    return Message.objects.insert(message)


def _announce(draft: Draft, turn: Turn, *, is_own: bool) -> None:
    """
    Once a turn is committed, tell of it, and start its reply.

    If the transaction is our own, nobody else can have changed the rows before they
    were committed: then nobody in this process needs to read what is at hand.
    """
    conversation, message, reply = draft.conversation, turn.message, turn.reply
    reply_id = reply.pk if reply else None
    event: TurnTaken | PathChanged = PathChanged(state=state_of(conversation))
    if draft.place_of is None:
        event = TurnTaken(
            message_id=message.pk,
            reply_id=reply_id,
            state=state_of(conversation),
            rows=tuple(copy(row) for row in (message, reply) if row and is_own),
        )

    claimed = dispatch.claim_here(reply) if reply and is_own else None

    def tell() -> None:
        dispatch.announce(conversation, event, reply_id, claimed)
        turn_taken.send_robust(
            type(conversation), conversation=conversation, message=message, reply=reply
        )

    transaction.on_commit(tell)
