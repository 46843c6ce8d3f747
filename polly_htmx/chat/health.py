"""Health: whether database, channel layer and replies are as they should be."""

from __future__ import annotations

import asyncio
import logging
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from django.db import connections
from django.utils import timezone

from polly_htmx.chat.database import in_database
from polly_htmx.chat.layer import site_layer
from polly_htmx.models import Message

logger = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds within which the channel layer must carry a message, and the database answer."""
OVERDUE = timedelta(seconds=15)
"""Seconds that a lease may have run out: a sweep comes every five, and one process
that dies must not make all others look ill."""
LONG_PENDING = timedelta(seconds=60)
"""Seconds after which somebody should have begun to write a reply."""

# One channel a loop, kept: some layers remember each that they ever gave out.
_channels: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, str] = (
    weakref.WeakKeyDictionary()
)

# One, whatever comes: who asks while a database hangs is told so, and waits in no thread.
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="polly-health")


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the site is. Holds figures only, nothing of anybody's."""

    database: bool
    layer: bool
    stuck: int | None
    """Replies that nobody writes; None where the database does not tell."""

    @property
    def is_well(self) -> bool:
        """Whether the site can take messages and answer them."""
        return self.database and self.layer and self.stuck == 0


async def ahealth() -> Health:
    """Ask the database and the channel layer, and count the replies that are stuck."""
    stuck, layer = await asyncio.gather(_stuck(), _layer_carries())
    return Health(database=stuck is not None, layer=layer, stuck=stuck)


async def _stuck() -> int | None:
    try:
        async with asyncio.timeout(PATIENCE):
            if await in_database(_is_in_transaction)():
                return await in_database(_count_stuck)()
            # In a thread of our own: below a middleware that is not async the request's
            # own thread waits for us, and could not leave a database that hangs.
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(_thread, _count_apart)
    except Exception as exc:  # noqa: BLE001  (each database has its own faults)
        _failed("database", exc)
        return None


def _is_in_transaction() -> bool:
    return any(each.in_atomic_block for each in connections.all(initialized_only=True))


def _count_apart() -> int:
    try:
        return _count_stuck()
    finally:
        connections.close_all()


def _count_stuck() -> int:
    now = timezone.now()
    dead = Message.objects.expired(now - OVERDUE)
    # Not by its birth: a reply that is continued was born long ago.
    left = Message.objects.unclaimed(before=now - LONG_PENDING).filter(
        updated_at__lt=now - LONG_PENDING
    )
    return dead.count() + left.count()


async def _layer_carries() -> bool:
    """Tell whether the channel layer carries a message from here to here."""
    layer = site_layer()
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(PATIENCE):
            if loop not in _channels:
                _channels[loop] = await layer.new_channel()
            channel = _channels[loop]
            await layer.send(channel, {"type": "polly.health"})
            await layer.receive(channel)
    except Exception as exc:  # noqa: BLE001  (each layer raises its own faults)
        _channels.pop(loop, None)
        _failed("layer", exc)
        return False
    return True


def _failed(what: str, exc: Exception) -> None:
    # Only the kind: the text may hold an address, and so a password.
    logger.warning("health: %s failed fault=%s", what, type(exc).__name__)
