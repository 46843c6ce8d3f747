"""Checkpoints: what a process writes is saved together, in one transaction."""

from __future__ import annotations

import asyncio
import enum
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

from django.db import transaction
from django.utils import timezone

from polly_htmx.chat.database import in_database
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


@dataclass(slots=True)
class _Batch:
    waiting: list[tuple[Checkpoint, asyncio.Future[Outcome]]] = field(
        default_factory=list
    )
    task: asyncio.Task[None] | None = None


_batches: WeakKeyDictionary[asyncio.AbstractEventLoop, _Batch] = WeakKeyDictionary()


async def save(checkpoint: Checkpoint) -> Outcome:
    """
    Save a reply's text and renew its lease, with all that others save just now.

    Safe to abandon: what is written late finds a reply that has ended, or that
    another owns, and then changes nothing. Raises what the database raises.
    """
    loop = asyncio.get_running_loop()
    batch = _batches.setdefault(loop, _Batch())
    future: asyncio.Future[Outcome] = loop.create_future()
    batch.waiting.append((checkpoint, future))
    if batch.task is None or batch.task.done():
        batch.task = loop.create_task(_write(batch))
    return await future


async def _write(batch: _Batch) -> None:
    await asyncio.sleep(GATHER)
    while batch.waiting:
        lot, batch.waiting = batch.waiting, []
        checkpoints = [checkpoint for checkpoint, _future in lot]
        results: list[Outcome | Exception]
        try:
            results = [*await in_database(_save)(checkpoints)]
        except Exception as exc:  # noqa: BLE001  (each waits for it, and says so)
            results = [exc] * len(lot)
        for (_checkpoint, future), result in zip(lot, results, strict=True):
            _tell(future, result)


def _tell(future: asyncio.Future[Outcome], result: Outcome | Exception) -> None:
    if future.done():
        return  # Its runner has ended meanwhile.
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)


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
