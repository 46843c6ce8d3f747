"""Lists: tells the pages that show a person's list of chats what changed in it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from polly_htmx.access import Who
from polly_htmx.chat import layer
from polly_htmx.chat.events import ListChanged
from polly_htmx.models import SmartConversation

_NAMES = uuid.UUID("0d1f6a1c-64c1-4b0b-9c5e-6f1a4d2f7b35")
"""Under which people get ids, lest a list and a conversation have the same."""


@dataclass(frozen=True, slots=True)
class PersonalList:
    """The list of one person, which sockets follow as they follow conversations."""

    external_id: uuid.UUID


def list_of(who: Who) -> PersonalList | None:
    """Return a person's list; None for nobody."""
    if who.user is not None:
        return PersonalList(uuid.uuid5(_NAMES, f"user {who.user.pk}"))
    if who.visitor is not None:
        return PersonalList(uuid.uuid5(_NAMES, f"visitor {who.visitor}"))
    return None


def tell_owner(
    conversation: SmartConversation,
    *,
    is_back: bool = False,
    page: str = "",
) -> None:
    """Tell the pages of a conversation's owner what changed; see ListChanged."""
    name = f"user {conversation.user_id}"
    if conversation.user_id is None:
        name = f"visitor {conversation.visitor}"
    key = str(conversation.external_id)
    event = ListChanged(conversation=key, is_back=is_back, page=page)
    layer.publish(PersonalList(uuid.uuid5(_NAMES, name)), event)
