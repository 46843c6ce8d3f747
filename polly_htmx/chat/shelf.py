"""The shelf: what people do with chats in their list, from a new name to the end."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from polly_htmx import access
from polly_htmx.access import Who
from polly_htmx.chat import lists
from polly_htmx.chat.replies import end_running
from polly_htmx.exceptions import NotFound
from polly_htmx.models import SmartConversation

KEPT = timedelta(hours=1)
"""How long a deleted chat can be taken back; then its rows go."""
LOT = 20
"""Chats whose rows go in one request: the rest goes with the next."""

# Each takes ``page``, the page on which it was done: others are told over their sockets.
TitledBy = SmartConversation.TitledBy


def rename(conversation: SmartConversation, title: str, *, who: Who) -> None:
    """
    Give a chat a title; "" shows its first words again. Raises NotFound.

    What a person chose stays, the empty title too: no model gives one after it.
    """
    _change(conversation, who, title=title, titled_by=TitledBy.PERSON)


def pin(
    conversation: SmartConversation, *, who: Who, pinned: bool = True, page: str = ""
) -> None:
    """Keep a chat above the others, or no more. Raises NotFound."""
    # Out of the archive with it, for there nothing stands above others.
    when = timezone.now() if pinned else None
    _change(conversation, who, page=page, pinned_at=when, archived_at=None)


def archive(
    conversation: SmartConversation, *, who: Who, archived: bool = True, page: str = ""
) -> None:
    """Put a chat out of the way, or back into the list. Raises NotFound."""
    when = timezone.now() if archived else None
    access.require_own(who, conversation)
    fields = {"archived_at": when, "pinned_at": None}
    _save(conversation, is_back=not archived, page=page, **fields)


def delete(conversation: SmartConversation, *, who: Who, page: str = "") -> None:
    """
    Delete a chat: it is as if it did not exist, and its running reply ends.

    Within KEPT restore() takes that back. Raises NotFound.
    """
    # First the mark: a turn that comes after it is refused, one before it is stopped.
    _change(conversation, who, page=page, deleted_at=timezone.now())
    end_running(conversation)
    forget_deleted(who)


def restore(external_id: uuid.UUID, *, who: Who, page: str = "") -> SmartConversation:
    """Take a deletion back, within KEPT. Raises NotFound."""
    conversation = access.deleted_conversation(who, external_id)
    if not can_restore(conversation):
        raise NotFound  # Its rows may be going just now.
    _save(conversation, is_back=True, page=page, deleted_at=None)
    return conversation


def can_restore(conversation: SmartConversation) -> bool:
    """Tell whether a chat is deleted, and can still be taken back."""
    deleted_at = conversation.deleted_at
    return deleted_at is not None and deleted_at > timezone.now() - KEPT


def forget_deleted(who: Who | None = None) -> int:
    """
    Remove the rows of chats whose time is up; return how many chats went.

    Of one person some, on the occasion of a visit; without one all there are.
    """
    old = SmartConversation.objects.filter(deleted_at__lt=timezone.now() - KEPT)
    if who is not None:
        old = access.deleted_by(who).filter(deleted_at__lt=timezone.now() - KEPT)[:LOT]
    keys = list(old.values_list("pk", flat=True))
    for key in keys:
        # One by one: each holds the lock of its own messages, and not for long.
        SmartConversation.objects.filter(pk=key).delete()
    return len(keys)


def _change(conversation: SmartConversation, who: Who, **fields: Any) -> None:
    access.require_own(who, conversation)
    _save(conversation, **fields)


def _save(
    conversation: SmartConversation,
    *,
    is_back: bool = False,
    page: str = "",
    **fields: Any,
) -> None:
    # Not by save(): the place in the list is that of the last message.
    SmartConversation.objects.filter(pk=conversation.pk).update(**fields)
    for name, value in fields.items():
        setattr(conversation, name, value)
    tell = partial(lists.tell_owner, conversation, is_back=is_back, page=page)
    transaction.on_commit(tell)
