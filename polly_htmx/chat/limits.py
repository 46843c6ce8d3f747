"""Limits per person, counted in the database and so across all processes."""

from __future__ import annotations

import math
from datetime import timedelta

from django.db.models import Min, QuerySet
from django.utils import timezone

from polly_htmx.conf import conf
from polly_htmx.exceptions import TooManyMessages, TooManyReplies
from polly_htmx.models import Message, SmartConversation

MINUTE = timedelta(minutes=1)


def check_limits(conversation: SmartConversation) -> None:
    """
    Raise TooManyMessages or TooManyReplies if the conversation's owner must wait.

    Only conversations touched within the last minute can hold messages of the
    last minute, so the count never reads an old conversation.
    """
    since = timezone.now() - MINUTE
    siblings = _conversations_of_owner(conversation)
    recent = Message.objects.filter(
        conversation__in=siblings.filter(updated_at__gte=since),
        party=Message.Party.USER,
        created_at__gte=since,
    )
    if recent.count() >= conf.MESSAGES_PER_MINUTE:
        first = recent.aggregate(first=Min("created_at"))["first"] or since
        wait = (first - since).total_seconds()
        raise TooManyMessages(max(1, math.ceil(wait)))
    running = Message.objects.running().filter(conversation__in=siblings)
    if running.count() >= conf.MAX_RUNNING_REPLIES:
        raise TooManyReplies


def _conversations_of_owner(
    conversation: SmartConversation,
) -> QuerySet[SmartConversation]:
    everyones = SmartConversation.objects.all()
    if conversation.user_id is not None:
        return everyones.filter(user_id=conversation.user_id)
    return everyones.filter(visitor=conversation.visitor)
