"""The channel layer: how events reach all who follow a conversation."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import Any, TypeVar

from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, get_channel_layer

from polly_htmx.chat import audience, desk, home
from polly_htmx.chat.audience import Followed
from polly_htmx.chat.events import Event, to_dict

T = TypeVar("T")
logger = logging.getLogger(__name__)

EVENT_TYPE = "polly.event"
"""The type of our messages on the layer."""
DESKS = "polly.desks"
"""The group of all processes that may be writing replies."""
WORKERS = "polly-replies"
"""The channel of the workers: manage.py runworker polly-replies."""
JOIN_AGAIN = 20.0
"""Seconds after which a desk joins its group again: a layer that was restarted has
forgotten its groups, and tells nobody."""
RETRY = 1.0
"""Seconds between two tries to reach a layer that is down."""
LATE = 3.0
"""Seconds after which a layer that does not answer counts as down. Less than servers wait
for a handshake: pages must get their line without it."""
REST = 5.0
"""Seconds for which nobody waits for such a layer again: an answer must not stand still
on the pages of its own process because others can't be told."""


def group_name(conversation: Followed) -> str:
    """Return the group of a conversation's followers, from its public id only."""
    return f"polly.{conversation.external_id.hex}"


def is_of_this_process() -> bool:
    """Tell whether the layer reaches nobody outside, and so brings nothing new."""
    return isinstance(site_layer(), InMemoryChannelLayer)


class Ear:
    """A channel of our own on the layer, which may go away and come back."""

    def __init__(self) -> None:
        self.channel = ""

    async def open(self) -> str:
        """Take a channel, and return its name; "" if the layer gives none."""
        try:
            self.channel = await _in_time(site_layer().new_channel)
        except Exception as exc:  # noqa: BLE001  (each layer raises its own faults)
            _log(exc, "a new socket")
        return self.channel

    async def hear(self, deafened: Callable[[], None]) -> dict[str, Any]:
        """Return the next message; calls ``deafened`` when the layer fails."""
        while True:
            try:
                if self.channel:
                    message: dict[str, Any]
                    message = await site_layer().receive(self.channel)
                    return message
            except Exception as exc:  # noqa: BLE001  (see above)
                _log(exc, "a socket")
                deafened()
            await asyncio.sleep(RETRY)
            if not self.channel:
                await self.open()


async def follow(conversation: Followed, channel: str) -> bool:
    """Let a channel hear the events of a conversation; tell if the layer took it."""
    name = group_name(conversation)
    return await _try(partial(site_layer().group_add, name, channel), name)


async def unfollow(conversation: Followed, channel: str) -> None:
    """Let a channel hear no more of a conversation."""
    name = group_name(conversation)
    await _try(partial(site_layer().group_discard, name, channel), name)


async def apublish(conversation: Followed, event: Event) -> None:
    """
    Tell all followers of a conversation what happened.

    Those of this process are handed it at once. To the others the layer is a doorbell
    and the database is the truth, so a layer that is down is logged and stops nothing.
    """
    name = group_name(conversation)
    audience.tell(name, event)
    send = partial(site_layer().group_send, name, _message(name, event))
    await _try(send, name)


def address(channel: str, name: str) -> str:
    """Return the address of a conversation's followers in this process."""
    return f"{audience.name()} {channel} {name}"


async def asend(address: str, event: Event) -> None:
    """Tell a conversation's followers in one process what happened."""
    process, channel, name = address.split(" ")
    if process == audience.name():
        audience.tell(name, event)
    elif channel:
        message = _message(name, event)
        await _try(partial(site_layer().send, channel, message), "a follower")


def _message(name: str, event: Event) -> dict[str, Any]:
    # With the sender, whose own followers know it already.
    values = {"room": name, "from": audience.name(), "event": to_dict(event)}
    return {"type": EVENT_TYPE, **values}


def publish(conversation: Followed, event: Event) -> None:
    """See apublish(); for code that runs in a thread. Does not wait for the layer
    where a loop serves sockets: see home.spawn()."""
    _from_thread(partial(apublish, conversation, event))


async def aring_desks(**message: Any) -> None:
    """Tell all processes that write replies; the one that has this reply acts."""
    if home.is_here() and desk.handle(message):
        return
    await _try(partial(site_layer().group_send, DESKS, message), DESKS)


def ring_desks(**message: Any) -> None:
    """See aring_desks(); for code that runs in a thread."""
    _from_thread(partial(aring_desks, **message))


async def aring_workers(reply_id: int) -> None:
    """Tell the workers of a pending reply; whoever claims it first writes it."""
    message = {"type": "polly.run", "reply_id": reply_id}
    await _try(partial(site_layer().send, WORKERS, message), WORKERS)


def ring_workers(reply_id: int) -> None:
    """See aring_workers(); for code that runs in a thread."""
    _from_thread(partial(aring_workers, reply_id))


async def at_desk() -> AsyncGenerator[dict[str, Any]]:
    """Yield what is told to all desks, for ever; waits out a layer that is down."""
    while True:
        try:
            async with aclosing(_desk_news()) as news:
                async for message in news:
                    yield message
        except Exception as exc:  # noqa: BLE001  (each layer raises its own faults)
            _log(exc, DESKS)
            await asyncio.sleep(RETRY)


async def _desk_news() -> AsyncGenerator[dict[str, Any]]:
    """Yield what is told to all desks, until the layer fails."""
    channel = await site_layer().new_channel()
    coming: asyncio.Future[dict[str, Any]] | None = None
    due = 0.0
    try:
        while True:
            if (now := time.monotonic()) >= due:
                await site_layer().group_add(DESKS, channel)
                due = now + JOIN_AGAIN
            # Kept while the group is joined again: who cancels this is taken to have
            # gone, and Redis' pub/sub layer takes the channel away.
            coming = coming or asyncio.ensure_future(site_layer().receive(channel))
            await asyncio.wait({coming}, timeout=due - now)
            if coming.done():
                message, coming = coming.result(), None
                yield message
    finally:
        if coming is not None:
            coming.cancel()


def _from_thread(work: home.Work) -> None:
    # In a process that ends nobody says anything any more: asgiref would hand the word
    # to the loop that has stopped and wait for it, and the process would stay.
    if not home.spawn(work) and not home.has_ended():
        async_to_sync(work)()


class _Away:
    """Until when nobody waits for a layer that did not answer in time."""

    until = 0.0

    @classmethod
    def is_now(cls) -> bool:
        """Tell whether it is not worth while to ask."""
        return time.monotonic() < cls.until


async def _in_time(call: Callable[[], Awaitable[T]]) -> T:
    """Return what the layer says; raise TimeoutError if it lets us wait."""
    if is_of_this_process():
        return await call()
    if _Away.is_now():
        raise TimeoutError
    try:
        async with asyncio.timeout(LATE):
            return await call()
    except TimeoutError:
        _Away.until = time.monotonic() + REST
        raise


async def _try(call: Callable[[], Awaitable[Any]], name: str) -> bool:
    if _Away.is_now():
        return False  # It was told of, and not for each frame again.
    try:
        await _in_time(call)
    except Exception as exc:  # noqa: BLE001  (each layer raises its own faults)
        _log(exc, name)
        return False
    return True


def _log(exc: Exception, name: str) -> None:
    # Only the kind: the text may hold the layer's address, and so its password.
    logger.warning("channel layer failed at=%s fault=%s", name, type(exc).__name__)


def site_layer() -> Any:
    """Return the site's default layer; a system check sees that there is one."""
    return get_channel_layer()
