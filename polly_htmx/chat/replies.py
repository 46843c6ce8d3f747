"""Replies: stop one, have one written anew, or go on with one that broke off."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.db import transaction

from polly_htmx import access
from polly_htmx.access import Who
from polly_htmx.chat import dispatch
from polly_htmx.chat.allowances import reserve
from polly_htmx.chat.leases import announce_end, interrupt_expired, save_end
from polly_htmx.chat.pending import (
    announce_path,
    check_free,
    conversation_of,
    new_reply,
    point_at,
    take_place,
)
from polly_htmx.chat.standing import Standing
from polly_htmx.exceptions import (
    NotAReply,
    NotContinuable,
    NotFound,
    ReplyRunning,
    StaffAnswers,
)
from polly_htmx.models import Message, Parrot, SmartConversation


def stop_reply(reply: Message, *, who: Who) -> Message:
    """
    End a reply and keep its text; return it as the database has it now.

    One that nobody writes yet ends at once. One that is being written ends when its
    runner hears of it, in whatever process that is. One that has ended stays as it is.

    Raises NotFound or NotAllowed (permission).
    """
    conversation = conversation_of(reply)
    access.check_may_write(who, conversation)
    _stop(reply, conversation)
    return _fresh(reply)


def end_running(conversation: SmartConversation) -> None:
    """Stop what runs in a conversation; for one that its owner has just deleted."""
    for reply in conversation.messages.running():
        _stop(reply, conversation)


def _stop(reply: Message, conversation: SmartConversation) -> None:
    with transaction.atomic():
        # A runner that died would never hear of it.
        interrupt_expired(conversation)
        row = Message.objects.running().filter(pk=reply.pk)
        idle = row.exclude(status=Message.Status.STREAMING)
        stopped = _fresh(reply)
        stopped.status = Message.Status.STOPPED
        if save_end(idle, stopped, content=None):
            transaction.on_commit(lambda: announce_end(stopped))
        # Taken by a runner meanwhile: then this finds it.
        elif row.update(stop_requested=True):
            transaction.on_commit(lambda: dispatch.ring_stop(reply.pk))


def regenerate(
    reply: Message,
    *,
    who: Who,
    parrot: Parrot | None = None,
    instructions: str = "",
    context: str = "",
) -> Message:
    """
    Have another answer written to the same question; return it, pending.

    The old answer stays, as a sibling. The new one is by the same Parrot as it is
    now, or by ``parrot``, and keeps the old one's instructions and context unless
    others are given.

    Raises NotFound or NotAllowed (permission), NotAReply, StaffAnswers, ReplyRunning,
    ParrotRetired, TooManyMessages, TooManyReplies, OwnDayUsedUp and ParrotsDayUsedUp.
    Nothing is stored then.
    """
    conversation = conversation_of(reply)
    access.check_may_write(who, conversation)
    with transaction.atomic():
        standing = take_place(conversation, 1)
        old = _fresh(reply)
        if old.party != Message.Party.ASSISTANT or old.parent_id is None:
            raise NotAReply
        parrot = parrot or _parrot_of(old)
        _check_may_answer(conversation, parrot, standing)
        new = new_reply(
            conversation,
            parrot,
            parent_id=old.parent_id,
            sequence=standing.last_sequence,
            instructions=instructions or old.instructions,
            context=context or old.context,
        )
        announce_path(conversation, new)
    return new


def continue_reply(reply: Message, *, who: Who) -> Message:
    """
    Have the end of the path go on where it broke off; return it, pending.

    For a reply that was stopped, interrupted or cut, or that failed after some words.
    Its text stays, and what comes is added. Of two who ask at once one succeeds.

    Raises NotFound or NotAllowed (permission), NotContinuable, StaffAnswers,
    ReplyRunning, ParrotRetired, TooManyMessages, TooManyReplies, OwnDayUsedUp and
    ParrotsDayUsedUp.
    """
    conversation = conversation_of(reply)
    access.check_may_write(who, conversation)
    with transaction.atomic():
        standing = take_place(conversation, 0)
        _check_may_answer(conversation, _parrot_of(_fresh(reply)), standing)
        broken = _fresh(reply)  # Only now it is known whether its runner died.
        if not _is_continuable(broken):
            raise NotContinuable
        if not Message.objects.reopen(broken.pk):
            raise ReplyRunning
        pending = _fresh(reply)
        pending.conversation = conversation
        reserve(pending, _parrot_of(pending))
        if pending.reserved_input is not None:
            pending.save(update_fields=Message.RESERVED)
        point_at(conversation, pending)
        announce_path(conversation, pending)
    return pending


async def astop_reply(reply: Message, *, who: Who) -> Message:
    """See stop_reply()."""
    return await sync_to_async(stop_reply)(reply, who=who)


async def aregenerate(
    reply: Message,
    *,
    who: Who,
    parrot: Parrot | None = None,
    instructions: str = "",
    context: str = "",
) -> Message:
    """See regenerate()."""
    return await sync_to_async(regenerate)(
        reply, who=who, parrot=parrot, instructions=instructions, context=context
    )


async def acontinue_reply(reply: Message, *, who: Who) -> Message:
    """See continue_reply()."""
    return await sync_to_async(continue_reply)(reply, who=who)


def _fresh(reply: Message) -> Message:
    """Return the reply as the database has it; raises NotFound if it was deleted."""
    rows = Message.objects.select_related("conversation__parrot", "version__parrot")
    try:
        return rows.get(pk=reply.pk)
    except Message.DoesNotExist:
        raise NotFound from None


def _parrot_of(reply: Message) -> Parrot:
    version = reply.version
    return version.parrot if version is not None else reply.conversation.parrot


def _check_may_answer(
    conversation: SmartConversation, parrot: Parrot, standing: Standing
) -> None:
    if standing.answered_by == SmartConversation.AnsweredBy.STAFF:
        raise StaffAnswers
    check_free(conversation, parrot, standing)


def _is_continuable(reply: Message) -> bool:
    """Tell whether a reply is the end of the path, and broke off."""
    is_end = reply.pk == reply.conversation.current_id
    return reply.can_continue and is_end and reply.parent_id is not None
