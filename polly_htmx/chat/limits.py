"""Limits per person, counted in the database and so across all processes."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from django.db import connections, router
from django.db.models import DateTimeField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from polly_htmx.conf import conf
from polly_htmx.exceptions import TooManyMessages, TooManyReplies
from polly_htmx.models import Message, SmartConversation

MINUTE = timedelta(minutes=1)


def lock_owner(conversation: SmartConversation) -> None:
    """
    Let nobody else count or begin replies of this person until the transaction ends.

    The lock is the row of the person's oldest conversation: visitors have no row of
    their own, and a user's belongs to the site. Whoever takes it holds the row of the
    conversation itself already, and takes no other afterwards: so nobody waits in a
    circle. SQLite has one lock for all, which that row's update has taken.
    """
    features = connections[router.db_for_write(SmartConversation)].features
    if not features.has_select_for_update:
        return
    everyones = _conversations_of_owner(conversation)
    oldest = everyones.order_by("pk").select_for_update(
        # Writing a Message must not wait: its foreign key shares the row.
        no_key=features.has_select_for_no_key_update
    )
    # A row that was deleted while we waited for it is not found: then the next one.
    while oldest.values_list("pk").first() is None and everyones.exists():
        pass


def check_limits(conversation: SmartConversation) -> None:
    """
    Raise TooManyMessages or TooManyReplies if the conversation's owner must wait.

    MESSAGES_PER_MINUTE counts replies that were begun, whether by a message, an edit,
    a second try or a continuation, for each asks a model; and messages that staff is
    to answer. A reply that is continued counts from then on, once.
    """
    now = timezone.now()
    moments = _moments(conversation, now - MINUTE)
    spare = len(moments) - conf.MESSAGES_PER_MINUTE
    if spare >= 0:
        wait = moments[spare] + MINUTE - now
        raise TooManyMessages(max(1, math.ceil(wait.total_seconds())))
    running = Message.objects.running().filter(
        conversation__in=_conversations_of_owner(conversation)
    )
    begun = list(running.values_list("status", "started_at"))
    if len(begun) >= conf.MAX_RUNNING_REPLIES:
        raise TooManyReplies(_longest_wait(begun, now))


def _moments(conversation: SmartConversation, since: datetime) -> list[datetime]:
    """
    Return when this person's turns of late began, oldest first.

    Only conversations touched since then can hold any, so the count never reads an
    old conversation.
    """
    touched = _conversations_of_owner(conversation).filter(updated_at__gte=since)
    moment = Coalesce("started_at", "created_at", output_field=DateTimeField())
    answers = Message.objects.filter(
        parent=OuterRef("pk"), party=Message.Party.ASSISTANT
    )
    counted = Q(party=Message.Party.ASSISTANT) | Q(
        ~Exists(answers), party=Message.Party.USER
    )
    recent = Message.objects.filter(counted, conversation__in=touched)
    late = recent.annotate(moment=moment).filter(moment__gte=since)
    return list(late.order_by("moment").values_list("moment", flat=True))


def _longest_wait(
    running: list[tuple[str, datetime | None]], now: datetime
) -> int | None:
    """Return the seconds until the first of some replies must end, if that is known."""
    limit = timedelta(seconds=conf.REPLY_MAX_SECONDS)
    ends = [
        started + limit
        for status, started in running
        if started is not None and status == Message.Status.STREAMING
    ]
    if not ends:
        return None
    return max(1, math.ceil((min(ends) - now).total_seconds()))


def _conversations_of_owner(
    conversation: SmartConversation,
) -> QuerySet[SmartConversation]:
    everyones = SmartConversation.objects.all()
    if conversation.user_id is not None:
        return everyones.filter(user_id=conversation.user_id)
    return everyones.filter(visitor=conversation.visitor)
