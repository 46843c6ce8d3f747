"""The queue: messages sent during a reply wait, and go in their order when it ends."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.dispatch import receiver
from django.utils import timezone

from polly_htmx import access
from polly_htmx.access import Who
from polly_htmx.chat import dispatch
from polly_htmx.chat.drafts import Answering, Draft
from polly_htmx.chat.leases import interrupt_expired
from polly_htmx.chat.pending import take_place
from polly_htmx.chat.storing import Turn, store, store_at
from polly_htmx.chat.waiting import announce, is_held, keep_refusal, tell
from polly_htmx.conf import conf
from polly_htmx.exceptions import (
    MessageGone,
    NonceReused,
    PollyError,
    QueueFull,
    ReplyRunning,
)
from polly_htmx.models import Message, QueuedMessage, SmartConversation
from polly_htmx.signals import reply_finished

logger = logging.getLogger(__name__)

TRIES = 3
"""How often a message looks whether it may go: a reply may end while it looks."""
SWEPT = 100
"""Conversations at the most that one sweep lets go on."""


def store_or_queue(draft: Draft) -> Turn | QueuedMessage:
    """
    Store a turn; where a reply runs, or others wait already, let the message wait.

    Raises what store() raises but ReplyRunning, and QueueFull.
    """
    for _ in range(TRIES):
        try:
            return store(draft)
        except ReplyRunning:
            if (queued := _enqueue(draft)) is not None:
                return queued
    raise ReplyRunning


def move_on(conversation: SmartConversation, *, is_asked: bool = False) -> None:
    """
    Let the first message that waits become a turn, if nothing runs.

    After an answer that was stopped, failed or broke off the queue waits for a person
    who asks. Safe in any number of processes at once, and harmless at any time. Raises
    what store() raises, if it was asked for.
    """
    try:
        while _next(conversation.pk, is_asked=is_asked):
            is_asked = False
    except ReplyRunning:
        pass  # Its end moves the queue on.
    except PollyError as exc:
        if is_asked:
            raise
        # A limit, most likely: the sweep tries again. Or nobody may send it now.
        keep_refusal(conversation, exc)


def move_all_on() -> None:
    """Let go on what waits though nothing runs: its process died, or met a limit."""
    stopped = QueuedMessage.objects.filter(after_stop=True).values("conversation")
    free = Q(current=None) | Q(current__status=Message.Status.COMPLETE)
    waits = SmartConversation.objects.filter(queued__gt=0)
    found = waits.filter(free | Q(pk__in=stopped))
    for conversation in found.order_by("?")[:SWEPT]:
        move_on(conversation)


def queued_in(conversation: SmartConversation, external_id: str) -> QueuedMessage:
    """Return what waits in this conversation by its public id; raises MessageGone."""
    try:
        key = uuid.UUID(external_id)
    except ValueError:
        raise MessageGone from None
    found = conversation.queue.filter(external_id=key).first()
    if found is None:
        raise MessageGone
    found.conversation = conversation
    return found


def release(queued: QueuedMessage, *, who: Who) -> None:
    """
    Let a queue go on that waits for a person.

    Raises NotFound or NotAllowed (permission), and what a turn raises but ReplyRunning.
    """
    access.check_may_write(who, queued.conversation)
    move_on(queued.conversation, is_asked=True)


def take_back(queued: QueuedMessage, *, who: Who) -> str:
    """
    Take a waiting message out of the queue, and return its text.

    Raises NotFound or NotAllowed (permission), and MessageGone if it has become a
    turn meanwhile.
    """
    access.check_may_take_back(who, queued)
    with transaction.atomic():
        take_place(queued.conversation, 0)
        gone, _kinds = QueuedMessage.objects.filter(pk=queued.pk).delete()
        if not gone:
            raise MessageGone
        tell(queued.conversation)
    return queued.content


def _enqueue(draft: Draft) -> QueuedMessage | None:
    """Let a message wait; return None if it need not, or is stored already."""
    conversation = draft.conversation
    with transaction.atomic():
        standing = take_place(conversation, 0, draft.nonce)
        if standing.before_id is not None:
            return None
        is_running = bool(standing.running)
        if is_running:
            interrupt_expired(conversation)
            is_running = conversation.messages.running().exists()
        if not is_running and not standing.queued:
            return None
        queued = _with_nonce(draft) or _add(draft, standing.queued)
    if not is_running:
        move_on(conversation, is_asked=True)
    return queued


def _with_nonce(draft: Draft) -> QueuedMessage | None:
    """Return what waits under a draft's nonce; raises NonceReused for another text."""
    if draft.nonce is None:
        return None
    before = draft.conversation.queue.filter(nonce=draft.nonce).first()
    if before is not None and before.content != draft.text:
        raise NonceReused
    return before


def _add(draft: Draft, count: int) -> QueuedMessage:
    if not conf.MAX_QUEUED:
        raise ReplyRunning
    if count >= conf.MAX_QUEUED:
        raise QueueFull(conf.MAX_QUEUED)
    running = draft.conversation.messages.running()
    queued = QueuedMessage.objects.create(
        conversation=draft.conversation,
        author=draft.who.user,
        content=draft.text,
        nonce=draft.nonce,
        after_stop=running.filter(stop_requested=True).exists(),
        **draft.answering,
    )
    tell(draft.conversation)
    return queued


def _next(pk: int, *, is_asked: bool) -> bool:
    """Make a turn of the first that waits; tell whether the next may follow at once."""
    if not QueuedMessage.objects.filter(conversation=pk).exists():
        return False
    conversation = SmartConversation.objects.select_related("parrot").get(pk=pk)
    with transaction.atomic():
        standing = take_place(conversation, 2)
        waiting = list(conversation.queue.select_related("author", "parrot"))
        if not waiting or (not is_asked and is_held(waiting, standing.leaf_id)):
            transaction.set_rollback(True)  # Give the two numbers back.
            return False
        first = waiting[0]
        first.delete()
        tell(conversation)
        nonce = first.nonce
        if nonce and conversation.messages.filter(nonce=nonce).exists():
            return True  # Somebody has stored it past the queue.
        turn = store_at(_draft_of(first, conversation), standing, is_own=True)
    return turn.reply is None


def _draft_of(queued: QueuedMessage, conversation: SmartConversation) -> Draft:
    queued.conversation = conversation
    answering: Answering = {
        "parrot": queued.parrot,
        "instructions": queued.instructions,
        "context": queued.context,
    }
    return Draft(
        conversation=conversation,
        text=queued.content,
        who=access.sender_of(queued),
        nonce=queued.nonce,
        answering=answering,
    )


@receiver(reply_finished, dispatch_uid="polly_htmx.chat.queue")
def _after_reply(
    conversation: SmartConversation, message: Message, **_kwargs: Any
) -> None:
    """Move on in the process that has ended a reply."""
    try:
        if not conversation.queued:
            return
        if message.status != Message.Status.COMPLETE:
            announce(conversation, timezone.now())  # It may wait for a person now.
        move_on(conversation)
    except Exception as exc:  # noqa: BLE001  (the sweep will find it)
        logger.warning("queue not moved on fault=%s", type(exc).__name__)


dispatch.sweep_too(move_all_on)
