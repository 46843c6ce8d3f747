"""Dispatch: brings pending replies to where they are written."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from asgiref.sync import async_to_sync
from django.utils import timezone

from polly_htmx.chat import desk, home, layer, shutdown
from polly_htmx.chat.claims import Claim, claim_stored, release
from polly_htmx.chat.database import in_database
from polly_htmx.chat.events import PathChanged, TurnTaken
from polly_htmx.chat.leases import interrupt_expired
from polly_htmx.chat.runner import arun_claimed, arun_reply
from polly_htmx.conf import conf
from polly_htmx.models import Message, SmartConversation

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0
"""How often a process that serves sockets looks for replies that were left behind."""
RING_AGAIN_AFTER = timedelta(seconds=2)
"""A reply that is pending for longer was handed to nobody, or to a process that died."""

_sweepers: list[Callable[[], None]] = []


def serve(*, as_worker: bool = False) -> None:
    """
    Make the running loop the home of this process's replies.

    Called by whatever serves people over ASGI, and by a worker; the first call also
    starts a sweep for replies that earlier processes left behind. A second call
    costs nothing.
    """
    if home.adopt():
        home.spawn(partial(_sweep_for_ever, as_worker))
        home.spawn(_sit_at_desk)


def sweep_too(work: Callable[[], None]) -> None:
    """Let each sweep do some more, with the database at hand."""
    _sweepers.append(work)


def announce(
    conversation: SmartConversation,
    event: TurnTaken | PathChanged,
    reply_id: int | None,
    claimed: Claim | None = None,
) -> None:
    """
    Tell followers what happened, and start its reply; from any thread.

    ``claimed`` is what claim_here() has given for the reply, if it was asked.

    Where no loop serves sockets (a shell, a command, plain WSGI) the reply stays
    pending for the next process that does.
    """
    start: home.Work | None = None
    if claimed is not None:
        start = partial(_run_claimed, claimed)
    elif reply_id is not None:
        start = partial(_start, reply_id, as_worker=False)
    if home.spawn(partial(_begin, conversation, event, start)):
        return
    if claimed is not None:
        release(claimed)  # The loop has ended meanwhile.
    layer.publish(conversation, event)
    if reply_id is not None and conf.REPLIES == "worker":
        layer.ring_workers(reply_id)


def claim_here(reply: Message) -> Claim | None:
    """
    Claim a reply for this process, in the transaction that stores it; see announce().

    A claim on the loop would take a transaction of its own, and wait behind all that
    followers have to read of the turn. Returns None where others are to write it.
    """
    if not home.is_open() or conf.REPLIES == "worker" or shutdown.begun():
        return None
    return claim_stored(reply)


def take_on(reply_id: int) -> None:
    """Write a reply in this process; for workers, who are told of one."""
    home.spawn(partial(_run, reply_id))


def ring_stop(reply_id: int) -> None:
    """Tell the process that writes a reply to stop it; from any thread."""
    layer.ring_desks(type="polly.stop", reply_id=reply_id)


async def ask(reply_id: int, channel: str) -> None:
    """Ask the process that writes a reply how it stands; it tells the channel."""
    if channel:
        await layer.aring_desks(type="polly.ask", reply_id=reply_id, channel=channel)


def run_reply(reply: Message) -> None:
    """Run a pending reply in place and return at its end; for scripts and shells."""
    async_to_sync(arun_reply)(reply.pk)


async def ashutdown() -> None:
    """End the sweep and all runs on this loop; each run saves what it has."""
    await home.aclose()


async def _begin(
    conversation: SmartConversation,
    event: TurnTaken | PathChanged,
    start: home.Work | None,
) -> None:
    # A task begins to run in its turn, and so before the reply's own; a follower who
    # hears of first words before all else looks at the rows.
    publishing = asyncio.ensure_future(layer.apublish(conversation, event))
    try:
        if start is not None:
            await start()
    finally:
        await publishing


async def _run_claimed(claimed: Claim) -> None:
    shutdown.listen()
    if shutdown.begun():
        await home.to_the_end(in_database(release)(claimed))
    else:
        await _logged(claimed.reply.pk, arun_claimed(claimed))


async def _start(reply_id: int, *, as_worker: bool) -> None:
    """Write a reply here, or tell those who do."""
    if conf.REPLIES == "worker" and not as_worker:
        await layer.aring_workers(reply_id)
    else:
        await _run(reply_id)


async def _run(reply_id: int) -> None:
    shutdown.listen()
    if shutdown.begun():
        return  # It stays pending, for the next process or another one.
    await _logged(reply_id, arun_reply(reply_id))


async def _logged(reply_id: int, running: Awaitable[None]) -> None:
    try:
        await running
    except Exception as exc:  # noqa: BLE001  (each database has its own faults)
        # The lease runs out and a sweep marks the reply, so nothing is stuck.
        logger.error(  # noqa: TRY400  (a foreign text may hold anything)
            "run broke off reply=%s fault=%s", reply_id, type(exc).__name__
        )


async def _sit_at_desk() -> None:
    async for message in layer.at_desk():
        desk.handle(message)


async def _sweep_for_ever(as_worker: bool) -> None:  # noqa: FBT001  (of partial())
    while True:
        try:
            left = await home.to_the_end(in_database(_sweep)())
            for reply_id in left:
                home.spawn(partial(_start, reply_id, as_worker=as_worker))
        except Exception as exc:  # noqa: BLE001  (each database has its own faults)
            logger.warning("sweep failed fault=%s", type(exc).__name__)
        await asyncio.sleep(SWEEP_SECONDS)


def _sweep() -> list[int]:
    """Mark dead replies, and return the pending ones that nobody has taken."""
    interrupt_expired()
    for work in _sweepers:
        work()
    left = Message.objects.unclaimed(before=timezone.now() - RING_AGAIN_AFTER)
    return list(left.values_list("pk", flat=True)[:100])
