"""Composing: the draft that a person has not sent yet, kept for all their devices."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple

from django.db import transaction

from polly_htmx import access
from polly_htmx.access import Who
from polly_htmx.chat.drafts import NONCE
from polly_htmx.chat.queue import take_back
from polly_htmx.conf import conf
from polly_htmx.exceptions import BadFrame, MessageTooLong
from polly_htmx.markdown import clean_text
from polly_htmx.models import Draft, QueuedMessage, SmartConversation

CHANGED = 4
"""How often at the most a page marks a nonce because its text was changed."""


def keep_draft(
    conversation: SmartConversation, text: str, *, who: Who, nonce: str
) -> None:
    """
    Keep what a person has typed; a blank text forgets it.

    ``nonce`` is what the message will be sent with. What comes after it was sent, for
    it was on its way, is not kept. Of two pages the last one counts.

    Raises NotFound or NotAllowed (permission), MessageTooLong and BadFrame.
    """
    access.check_may_write(who, conversation)
    if not NONCE.fullmatch(nonce):
        raise BadFrame("a nonce that no page makes")
    text = clean_text(text)
    if len(text) > conf.MAX_MESSAGE_CHARS:
        raise MessageTooLong(len(text), conf.MAX_MESSAGE_CHARS)
    author = _author(conversation, who)
    if not text.strip():
        Draft.objects.filter(conversation=conversation, author=author).delete()
    elif not _is_sent(conversation, nonce):
        Draft.objects.update_or_create(
            conversation=conversation,
            author=author,
            defaults={"text": text, "nonce": nonce},
        )


def draft_of(conversation: SmartConversation, *, who: Who) -> Draft | None:
    """Return what a person has typed into a conversation and not sent yet."""
    author = _author(conversation, who)
    draft = Draft.objects.filter(conversation=conversation, author=author).first()
    if draft is None or _is_sent(conversation, draft.nonce):
        return None
    return draft


class TakenBack(NamedTuple):
    """A waiting message that is a draft again."""

    text: str
    """Its own text, without that of the draft behind it."""
    nonce: str
    """What the draft will be sent with."""


def take_back_into_draft(queued: QueuedMessage, *, who: Who) -> TakenBack:
    """
    Take a waiting message out of the queue; its text stands before what the draft held.

    So it is in rows all the time, whatever becomes of the page that asked. Raises what
    take_back() and keep_draft() raise; a text that the draft has no room for waits on.
    """
    conversation = queued.conversation
    with transaction.atomic():
        text = take_back(queued, who=who)
        kept = draft_of(conversation, who=who)
        nonce = kept.nonce if kept else uuid.uuid4().hex
        both = "\n\n".join([text, kept.text] if kept else [text])
        keep_draft(conversation, both, who=who, nonce=nonce)
    return TakenBack(text, nonce)


def _author(conversation: SmartConversation, who: Who) -> Any:
    return None if access.owns(who, conversation) else who.user


def _is_sent(conversation: SmartConversation, nonce: str) -> bool:
    # The page marks the nonce of a text that was refused and then changed.
    nonces = [nonce + "-" * count for count in range(CHANGED)]
    return (
        conversation.messages.filter(nonce__in=nonces).exists()
        or conversation.queue.filter(nonce__in=nonces).exists()
    )
