"""Checkpoints: what a process writes is saved together, in one transaction."""

from __future__ import annotations

import enum
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from polly_htmx.chat.lots import Lots
from polly_htmx.conf import conf
from polly_htmx.models import Message

GATHER = 0.02
"""Seconds that the first waits for others: each trip to the database costs a change of
threads and a connection, and they are all due in the same moment."""


class Outcome(enum.Enum):
    """What a runner learns when it saves."""

    HELD = enum.auto()
    STOP_WANTED = enum.auto()
    """It still owns the reply, and a person wants it to end."""
    LOST = enum.auto()
    """Another owns the reply by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A running reply's text and thoughts so far, None for what is saved already."""

    reply_id: int
    owner: uuid.UUID
    text: str | None
    thoughts: str | None = None


async def save(checkpoint: Checkpoint) -> Outcome:
    """
    Save a reply's text and renew its lease, with all that others save just now.

    Safe to abandon: what is written late finds a reply that has ended, or that
    another owns, and then changes nothing. Raises what the database raises.
    """
    return await _lots.ask(checkpoint)


def _save(checkpoints: list[Checkpoint]) -> list[Outcome]:
    # By their keys: two processes that lock rows in one order never wait in a circle.
    ordered = sorted(checkpoints, key=lambda checkpoint: checkpoint.reply_id)
    with transaction.atomic():
        outcomes = {c.reply_id: _save_one(c) for c in ordered}
    return [outcomes[checkpoint.reply_id] for checkpoint in checkpoints]


def _save_one(checkpoint: Checkpoint) -> Outcome:
    now = timezone.now()
    fields: dict[str, Any] = {"lease_until": now + timedelta(seconds=conf.REPLY_LEASE)}
    if checkpoint.text is not None:
        fields |= {"content": checkpoint.text, "updated_at": now}
    if checkpoint.thoughts is not None:
        fields |= {"reasoning": checkpoint.thoughts, "updated_at": now}
    held = Message.objects.held_by(checkpoint.reply_id, checkpoint.owner)
    if held.and_where(stop_requested=False).update(**fields):
        return Outcome.HELD
    stopped = held.and_where(stop_requested=True).update(**fields)
    return Outcome.STOP_WANTED if stopped else Outcome.LOST


_lots = Lots(_save, gather=GATHER)
