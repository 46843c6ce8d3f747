"""Dispatch: brings pending replies to the event loop that serves sockets."""

from __future__ import annotations

import asyncio
import logging
from contextvars import Context
from datetime import timedelta

from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from django.utils import timezone

from polly_htmx.chat.leases import interrupt_expired
from polly_htmx.chat.runner import arun_reply
from polly_htmx.models import Message

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0
"""How often a process that serves sockets looks for replies that were left behind."""
RING_AGAIN_AFTER = timedelta(seconds=2)
"""A reply that is pending for longer was handed to nobody, or to a process that died."""


class _Home:
    """The event loop that serves sockets in this process, and what runs on it."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.runs: set[asyncio.Task[None]] = set()
        self.sweeper: asyncio.Task[None] | None = None


_home = _Home()


def serve() -> None:
    """
    Make the running loop the home of this process's replies.

    Called by whatever serves people over ASGI; the first call also starts a sweep
    for replies that earlier processes left behind. A second call costs nothing.
    """
    loop = asyncio.get_running_loop()
    if _home.loop is loop and _home.sweeper and not _home.sweeper.done():
        return
    _home.loop, _home.runs = loop, set()
    # An empty context, as for the runs: a request's would end with the request.
    _home.sweeper = loop.create_task(_sweep_for_ever(), context=Context())


def start_soon(reply_id: int) -> None:
    """
    Start a pending reply on the process's loop; may be called from any thread.

    Where no loop serves sockets (a shell, a command, plain WSGI) the reply stays
    pending for the next process that does.
    """
    loop = _home.loop
    if loop is not None and loop.is_running():
        # An empty context: the caller's would tie the run's database work to the
        # caller's thread, which may be gone by then, and to the caller's language.
        loop.call_soon_threadsafe(_start, reply_id, context=Context())


def run_reply(reply: Message) -> None:
    """Run a pending reply in place and return at its end; for scripts and shells."""
    async_to_sync(arun_reply)(reply.pk)


async def ashutdown() -> None:
    """End the sweep and all runs on this loop; each run saves what it has."""
    tasks = [*_home.runs, *([_home.sweeper] if _home.sweeper else [])]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    _home.loop, _home.sweeper = None, None


def _start(reply_id: int) -> None:
    run = asyncio.get_running_loop().create_task(_run(reply_id))
    # The loop itself holds tasks weakly: without this set a run could vanish.
    _home.runs.add(run)
    run.add_done_callback(_home.runs.discard)


async def _run(reply_id: int) -> None:
    try:
        await arun_reply(reply_id)
    except Exception as exc:  # noqa: BLE001  (each database has its own faults)
        # The lease runs out and a sweep marks the reply, so nothing is stuck.
        logger.error(  # noqa: TRY400  (a foreign text may hold anything)
            "run broke off reply=%s fault=%s", reply_id, type(exc).__name__
        )


async def _sweep_for_ever() -> None:
    while True:
        try:
            for reply_id in await database_sync_to_async(_sweep)():
                _start(reply_id)
        except Exception as exc:  # noqa: BLE001  (each database has its own faults)
            logger.warning("sweep failed fault=%s", type(exc).__name__)
        await asyncio.sleep(SWEEP_SECONDS)


def _sweep() -> list[int]:
    """Mark dead replies, and return the pending ones that nobody has taken."""
    interrupt_expired()
    left = Message.objects.unclaimed(before=timezone.now() - RING_AGAIN_AFTER)
    return list(left.values_list("pk", flat=True)[:100])
