"""Waiting: the messages of a conversation that have yet to become turns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from polly_htmx.chat import layer
from polly_htmx.chat.events import QueueChanged
from polly_htmx.exceptions import PollyError
from polly_htmx.models import Message, QueuedMessage, SmartConversation
from polly_htmx.models.exceptions import lasting


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The messages that wait in a conversation, as a page shows them."""

    messages: list[QueuedMessage]
    is_held: bool = False
    """Whether they wait for a person, because the last answer did not end well."""

    @property
    def is_refused(self) -> bool:
        """Whether the first of them was refused its turn."""
        return bool(self.messages and self.messages[0].refusal)


def waiting_in(conversation: SmartConversation) -> Waiting:
    """Return what waits in a conversation, in order."""
    messages = list(conversation.queue.all())
    if not messages:
        return Waiting(messages=[])
    leaf = SmartConversation.objects.filter(pk=conversation.pk)
    leaf_id = leaf.values_list("current_id", flat=True).first()
    return Waiting(messages=messages, is_held=is_held(messages, leaf_id))


def is_held(messages: Iterable[QueuedMessage], leaf_id: int | None) -> bool:
    """
    Tell whether messages wait for a person, by the end of their path.

    They do after an answer that did not come to its own end, unless one of them was
    sent when that had been told to stop.
    """
    if leaf_id is None or any(each.after_stop for each in messages):
        return False
    ends = Message.objects.filter(pk=leaf_id, party=Message.Party.ASSISTANT)
    over = ends.exclude(Message.running_condition())
    return over.exclude(status=Message.Status.COMPLETE).exists()


def tell(conversation: SmartConversation) -> None:
    """
    Count what waits, and once committed have pages show it.

    To be called under the conversation's lock: see take_place(). The mark changes too,
    by which pages are found that miss it.
    """
    own = SmartConversation.objects.filter(pk=conversation.pk)
    now = timezone.now()
    own.update(updated_at=now, queued=conversation.queue.count())
    transaction.on_commit(lambda: announce(conversation, now))


def keep_refusal(conversation: SmartConversation, exc: PollyError) -> None:
    """
    Write beside the first message that waits why it may not go, if that lasts.

    Pages hear of it once, however often it is tried.
    """
    refusal, first = lasting(exc), conversation.queue.first()
    if not refusal or first is None or first.refusal == refusal:
        return
    if QueuedMessage.objects.filter(pk=first.pk).update(refusal=refusal):
        announce(conversation, timezone.now())


def announce(conversation: SmartConversation, now: datetime) -> None:
    """Have pages show what waits."""
    layer.publish(conversation, QueueChanged(at=now.isoformat()))
