"""Ends: find the replies whose runner died, and tell of every reply's end."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from polly_htmx.chat import desk, layer, lists, telemetry
from polly_htmx.chat.calls import lost_call
from polly_htmx.chat.conversations import mark
from polly_htmx.chat.events import NO_WORDS, LastWords, ReplyEnded
from polly_htmx.llm import Usage
from polly_htmx.llm.exceptions import Interrupted
from polly_htmx.managers import MessageQuerySet
from polly_htmx.models import Message, ModelCall, SmartConversation
from polly_htmx.signals import reply_finished
from polly_htmx.statements import Rows

logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Figures:
    """What a run took; for the log and for whoever measures."""

    model: str = ""
    first: float | None = None
    """Seconds from the claim to the first piece."""
    seconds: float | None = None
    """Seconds from the claim to the end."""
    usage: Usage | None = None
    _begun: float = field(default_factory=time.monotonic)

    def heard(self) -> None:
        """Count a piece of the answer."""
        if self.first is None:
            self.first = time.monotonic() - self._begun

    def ended(self) -> None:
        """Count the end."""
        self.seconds = time.monotonic() - self._begun


def interrupt_expired(conversation: SmartConversation | None = None) -> int:
    """
    Mark replies as interrupted whose lease has run out; return how many.

    Looks at one conversation, or at all. The text to the last checkpoint stays.
    Each row is changed under the condition that found it, so that of several
    processes only one announces the end.
    """
    now = timezone.now()
    # What this process writes itself is alive, though the database was away for longer
    # than the lease: its runner renews that, or finds that another one was quicker.
    dead = Message.objects.expired(now).exclude(pk__in=desk.keys())
    expired = dead.select_related("conversation", "version")
    if conversation is not None:
        expired = expired.filter(conversation=conversation)
    return sum(_interrupt(reply) for reply in expired)


def _interrupt(reply: Message) -> bool:
    reply.status, reply.error = Message.Status.INTERRUPTED, Interrupted.code
    row = Message.objects.expired(timezone.now()).filter(pk=reply.pk)
    changed = save_end(row, reply, content=None, calls=[lost_call(reply)])
    if changed:
        transaction.on_commit(lambda: announce_end(reply))
    return changed


def save_end(
    row: MessageQuerySet | Rows[Message],
    reply: Message,
    content: str | None,
    calls: Sequence[ModelCall] = (),
) -> bool:
    """
    Save the end that ``reply`` carries, where ``row`` still finds it.

    The conversation's mark changes with it, so that no page can take the end for
    something it has seen. Without ``content`` the text stays as it was saved last,
    and so do the thoughts.
    ``calls`` are what the reply took, saved only with the end, and so never twice.
    """
    reply.finished_at = now = timezone.now()
    fields: dict[str, Any] = {}
    if content is not None:
        fields = {
            "content": content,
            "reasoning": reply.reasoning,
            "thought_seconds": reply.thought_seconds,
        }
    with transaction.atomic():
        ended = bool(row.update(**_end_of(reply, now), **fields))
        if ended:
            _mark_end(reply, now)
            ModelCall.objects.bulk_create(calls)
    return ended


def _end_of(reply: Message, now: datetime) -> dict[str, Any]:
    """Return what a row says of a reply that has ended: nobody has a lease on it."""
    return {
        "status": reply.status,
        "error": reply.error,
        "finish_reason": reply.finish_reason,
        "answered_by": reply.answered_by,
        "left_out": reply.left_out,
        "finished_at": now,
        "updated_at": now,
        "lease_owner": None,
        "lease_until": None,
        "stop_requested": False,
    }


def _mark_end(reply: Message, now: datetime) -> None:
    """Change the mark of a reply's conversation, and learn whether messages wait."""
    own = SmartConversation.objects.where(id=reply.conversation_id)
    conversation = reply.conversation
    conversation.queued = 0
    # In one statement where none do. It may wait for a transaction that adds one, and
    # then sees it: a subquery would not.
    change = {"updated_at": now, "has_new_answer": True}
    if not own.and_where(queued=0).update(**change):
        own.update(**change)
        found = SmartConversation.objects.filter(pk=reply.conversation_id)
        conversation.queued = found.values_list("queued", flat=True).first() or 0


def announce_end(
    reply: Message,
    *,
    figures: Figures | None = None,
    last: LastWords = NO_WORDS,
) -> None:
    """
    Tell the log, followers and listeners of a reply whose end save_end() has saved.

    A run tells what its pages lack by ``last``.
    """
    conversation = reply.conversation
    figures = figures or Figures()
    _log(reply, figures)
    telemetry.reply_ended(reply, figures)
    # While a reply runs nothing else becomes the end of the path.
    event = ReplyEnded(
        reply_id=reply.pk,
        status=reply.status,
        error=reply.error,
        finish_reason=reply.finish_reason,
        answered_by=reply.answered_by,
        left_out=reply.left_out,
        thought_seconds=reply.thought_seconds,
        state=mark(reply.pk, reply.finished_at or timezone.now()),
        **asdict(last),
    )
    layer.publish(conversation, event)
    lists.tell_owner(conversation)
    reply_finished.send_robust(
        type(conversation), conversation=conversation, message=reply
    )


def _log(reply: Message, figures: Figures) -> None:
    usage = figures.usage
    logger.info(
        "reply ended conversation=%s reply=%s status=%s error=%s model=%s "
        "tokens_in=%s tokens_out=%s first_token=%s seconds=%s",
        reply.conversation.external_id,
        reply.external_id,
        reply.status,
        reply.error or "-",
        figures.model or "-",
        usage.input_tokens if usage else "-",
        usage.output_tokens if usage else "-",
        _rounded(figures.first),
        _rounded(figures.seconds),
    )


def _rounded(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.3f}"
