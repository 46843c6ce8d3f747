"""Slots: chats in a place of the site, which need no row before the first message."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass

from django.core import signing
from django.db import IntegrityError, transaction

from polly_htmx import access
from polly_htmx.access import Who
from polly_htmx.chat.conversations import start_conversation
from polly_htmx.exceptions import NotFound, PageExpired
from polly_htmx.models import Parrot, SmartConversation
from polly_htmx.models.conversations import SLOT_CHARS

SALT = "polly_htmx.slot"
MAX_AGE = 7 * 24 * 60 * 60
"""Seconds for which a page can still start its chat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A chat that a page offers: everything that its first message needs."""

    conversation: uuid.UUID
    """The public id that the conversation will have."""
    parrot: uuid.UUID
    """The Parrot's public id."""
    name: str
    """Where the same person finds the chat again."""
    title: str = ""
    context: str = ""


def slot_name(name: str) -> str:
    """Return the name of a place, cut to a digest where it is too long to store."""
    if len(name) <= SLOT_CHARS:
        return name
    return hashlib.sha256(name.encode()).hexdigest()


def sign(slot: Slot) -> str:
    """
    Return the slot as a token that a page may carry.

    Signed, so that nobody can change it; not secret: the context can be read.
    """
    fields = [str(slot.conversation), str(slot.parrot), slot.name, slot.title]
    return signing.dumps([*fields, slot.context], salt=SALT, compress=True)


def unsign(token: str) -> Slot:
    """Return the slot of a token; raises PageExpired for a forged or old one."""
    try:
        fields = signing.loads(token, salt=SALT, max_age=MAX_AGE)
    except signing.BadSignature:
        raise PageExpired from None
    conversation, parrot, name, title, context = fields
    return Slot(
        conversation=uuid.UUID(conversation),
        parrot=uuid.UUID(parrot),
        name=name,
        title=title,
        context=context,
    )


def conversation_for(slot: Slot, *, who: Who) -> SmartConversation:
    """
    Return the conversation of a slot, made if this is its first message.

    Two first messages at once make one conversation. Raises NotFound if another
    person's conversation has the id: the page was opened by somebody else.
    """
    try:
        return access.open_conversation(who, slot.conversation)
    except NotFound:
        parrot = Parrot.objects.filter(external_id=slot.parrot).first()
        if parrot is None:
            raise
    try:
        with transaction.atomic():
            return start_conversation(
                parrot,
                who=who,
                title=slot.title,
                slot=slot.name,
                context=slot.context,
                external_id=slot.conversation,
            )
    except IntegrityError:
        return access.open_conversation(who, slot.conversation)


def forget_unused(conversation: SmartConversation) -> None:
    """Remove a conversation whose first message was refused, if none came since."""
    SmartConversation.objects.filter(pk=conversation.pk, last_sequence=0).delete()
