"""Seen: takes the mark of a new answer from a chat once its owner has looked at it."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from polly_htmx import access
from polly_htmx.access import Who
from polly_htmx.chat import lists
from polly_htmx.models import SmartConversation


def see(conversation: SmartConversation, *, who: Who) -> None:
    """
    Take note that a chat's owner has its newest answer before them.

    Other pages with the list hear of it. Raises NotFound.
    """
    access.require_own(who, conversation)
    conversation.has_new_answer = False
    # Not by save(): to look at a chat is no activity, it keeps its place in the list.
    marked = SmartConversation.objects.filter(pk=conversation.pk, has_new_answer=True)
    if marked.update(has_new_answer=False):
        transaction.on_commit(partial(lists.tell_owner, conversation))
