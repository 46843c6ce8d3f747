"""Sending: a message becomes a turn at once, or waits until the running reply ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Unpack

from polly_htmx.access import Who
from polly_htmx.chat.drafts import Answering, Draft
from polly_htmx.chat.queue import store_or_queue
from polly_htmx.chat.storing import Turn
from polly_htmx.chat.turns import atake, new_draft, take
from polly_htmx.models import QueuedMessage, SmartConversation


def send_message(
    conversation: SmartConversation,
    text: str,
    *,
    who: Who,
    nonce: str | None = None,
    **answering: Unpack[Answering],
) -> Turn | QueuedMessage:
    """
    Take a turn, or let the message wait behind the running reply and what waits there.

    See take_turn() for the arguments, and for what is raised: QueueFull comes in the
    place of ReplyRunning. MESSAGES_PER_MINUTE and MAX_RUNNING_REPLIES count when a
    waiting message gets its turn, and until they allow it, it waits.
    """
    draft = new_draft(conversation, text, who, nonce, answering)
    return take(_in_line(draft), store_or_queue)


async def asend_message(
    conversation: SmartConversation,
    text: str,
    *,
    who: Who,
    nonce: str | None = None,
    **answering: Unpack[Answering],
) -> Turn | QueuedMessage:
    """See send_message(). May be awaited inside a transaction of the calling thread."""
    draft = new_draft(conversation, text, who, nonce, answering)
    return await atake(_in_line(draft), store_or_queue)


def _in_line(draft: Draft) -> Draft:
    return replace(draft, in_line=True)
