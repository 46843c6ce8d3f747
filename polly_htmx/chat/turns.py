"""Turns: a person sends a message, or another one in the place of an old one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar, Unpack

from asgiref.sync import sync_to_async

from polly_htmx import hooks
from polly_htmx.access import Who
from polly_htmx.chat.allowances import check_day
from polly_htmx.chat.drafts import Answering, Draft
from polly_htmx.chat.limits import check_limits
from polly_htmx.chat.pending import conversation_of
from polly_htmx.chat.storing import Turn, store, turn_with
from polly_htmx.models import Message, SmartConversation

T = TypeVar("T")


def take_turn(
    conversation: SmartConversation,
    text: str,
    *,
    who: Who,
    nonce: str | None = None,
    **answering: Unpack[Answering],
) -> Turn:
    """
    Store a person's message with a pending reply, and see that the reply runs.

    The site's hooks see the text first, before our transaction. The same ``nonce``
    with the same text returns the first turn again. ``parrot`` answers instead of the
    conversation's own; ``instructions`` take the place of its character, and
    ``context`` is told after it: they are stored with the reply.

    Raises NotFound or NotAllowed (permission), BlankMessage, MessageTooLong, BadFrame
    (for the nonce), MessageRefused, HookFailed, ReplyRunning, NonceReused,
    ParrotRetired, TooManyMessages, TooManyReplies, OwnDayUsedUp and ParrotsDayUsedUp.
    Nothing is stored then.
    """
    return take(new_draft(conversation, text, who, nonce, answering), store)


async def atake_turn(
    conversation: SmartConversation,
    text: str,
    *,
    who: Who,
    nonce: str | None = None,
    **answering: Unpack[Answering],
) -> Turn:
    """See take_turn(). May be awaited inside a transaction of the calling thread."""
    return await atake(new_draft(conversation, text, who, nonce, answering), store)


def edit_message(
    message: Message,
    text: str,
    *,
    who: Who,
    nonce: str | None = None,
    **answering: Unpack[Answering],
) -> Turn:
    """
    Put another text in the place of a person's message, and have it answered.

    The old message stays, and all that followed it, as a sibling of the new one. See
    take_turn() for the rest. Raises NotAllowed for what somebody else wrote.
    """
    return take(_edited(message, text, who, nonce, answering), store)


async def aedit_message(
    message: Message,
    text: str,
    *,
    who: Who,
    nonce: str | None = None,
    **answering: Unpack[Answering],
) -> Turn:
    """See edit_message()."""
    draft = await sync_to_async(_edited)(message, text, who, nonce, answering)
    return await atake(draft, store)


def new_draft(
    conversation: SmartConversation,
    text: str,
    who: Who,
    nonce: str | None,
    answering: Answering,
) -> Draft:
    """Return a draft of the end of the path."""
    return Draft(
        conversation=conversation,
        text=text,
        who=who,
        nonce=nonce or None,
        answering=answering,
    )


def _edited(
    message: Message, text: str, who: Who, nonce: str | None, answering: Answering
) -> Draft:
    draft = new_draft(conversation_of(message), text, who, nonce, answering)
    return replace(draft, place_of=message)


def take(draft: Draft, put: Callable[[Draft], T]) -> T | Turn:
    """Check a draft, have the site's hooks see it, and put it where it belongs."""
    begun = _begin(draft)
    if isinstance(begun, Turn):
        return begun
    text = hooks.pass_message(
        begun.text, conversation=begun.conversation, who=begun.who
    )
    return put(begun.saying(text))


async def atake(draft: Draft, put: Callable[[Draft], T]) -> T | Turn:
    """See take(). Holds no thread while an async hook takes its time."""
    if not hooks.hears_messages():
        return await sync_to_async(take)(draft, put)
    begun = await sync_to_async(_begin)(draft)
    if isinstance(begun, Turn):
        return begun
    text = await hooks.apass_message(
        begun.text, conversation=begun.conversation, who=begun.who
    )
    return await sync_to_async(put)(begun.saying(text))


def _begin(draft: Draft) -> Draft | Turn:
    """
    Check a draft before hooks are asked; return the turn if it was taken already.

    Hooks may be slow and may cost money, so they are asked only about what can still
    become a message.
    """
    draft = draft.checked()
    if hooks.hears_messages():
        before = turn_with(draft)
        if before is not None and draft.is_stored_as(before.message):
            return before
        if before is None and not _may_wait(draft):
            check_limits(draft.conversation)
            check_day(draft.conversation, draft.parrot)
    return draft


def _may_wait(draft: Draft) -> bool:
    """Tell whether limits count later, when a draft gets its turn."""
    return draft.in_line and draft.conversation.messages.running().exists()
