"""Posts: where a process hears what others say of the conversations it follows."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from polly_htmx.chat import audience, home, layer
from polly_htmx.chat.audience import Followed, Listener, Room
from polly_htmx.chat.events import from_dict

logger = logging.getLogger(__name__)

ROOMS = 16
"""Conversations that share a channel. One for each socket costs a task and a queue; a
single one for all would overflow, for layers keep a hundred messages in each."""


class _Post:
    """One channel of the layer, and the rooms whose groups it is in."""

    def __init__(self) -> None:
        self.ear = layer.Ear()
        self.rooms: set[str] = set()
        self._opening = asyncio.Lock()
        self._listens = False

    async def open(self) -> str:
        """Return the channel's name; "" while the layer gives none."""
        async with self._opening:
            channel = self.ear.channel or await self.ear.open()
            # Not before: it would wait, as for a layer that is down.
            if not self._listens:
                self._listens = home.spawn(self.listen)
        return channel

    async def listen(self) -> None:
        """Pass on what comes, for ever; waits out a layer that is down."""
        while True:
            message = await self.ear.hear(self._deafened)
            if message.get("from") != audience.name():
                _pass_on(message)

    def _deafened(self) -> None:
        for name in self.rooms:
            if (room := audience.find(name)) is not None:
                room.is_joined = False


class _Posts:
    """The posts of one event loop."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.all: list[_Post] = []


_posts = _Posts()


async def follow(
    conversation: Followed, listener: Listener, *, again: bool = False
) -> None:
    """
    Let a socket hear the events of a conversation; harmless if it does already.

    Those of this process come straight, the others' by the channel layer, if it can.
    ``again`` joins the layer's group anew: a layer may forget, and tells nobody.
    """
    name = layer.group_name(conversation)
    room = audience.enter(name, listener)
    if room.is_joined and not again:
        return
    if layer.is_of_this_process():
        room.is_joined = True
        return
    async with _changing(room):
        if not room.is_joined or again:
            await _join(conversation, name, room)


async def unfollow(conversation: Followed, listener: Listener) -> None:
    """Let a socket hear no more of a conversation."""
    name = layer.group_name(conversation)
    room = audience.leave(name, listener)
    if room is None or room.listeners:
        return
    if room.post is not None:
        # Who comes meanwhile waits, and joins after it.
        async with _changing(room):
            if not room.listeners and room.is_joined:
                room.is_joined = False  # At once, or one would come and think so.
                await layer.unfollow(conversation, room.post.ear.channel)
            if not room.listeners and room.post is not None:
                room.post.rooms.discard(name)
                room.post = None
    audience.close(name, room)


def hears(conversation: Followed) -> bool:
    """Tell whether the layer brings what others say, as far as we know."""
    room = audience.find(layer.group_name(conversation))
    return room is not None and room.is_joined


def address(conversation: Followed) -> str:
    """Return to where layer.asend() reaches this process's sockets."""
    name = layer.group_name(conversation)
    room = audience.find(name)
    post = None if room is None else room.post
    return layer.address(post.ear.channel if post else "", name)


async def _join(conversation: Followed, name: str, room: Room) -> None:
    room.post = room.post or _post_with_room()
    room.post.rooms.add(name)
    if channel := await room.post.open():
        room.is_joined = await layer.follow(conversation, channel)


def _post_with_room() -> _Post:
    loop = asyncio.get_running_loop()
    if _posts.loop is not loop:
        _posts.loop, _posts.all = loop, []
    for post in _posts.all:
        if len(post.rooms) < ROOMS:
            return post
    post = _Post()
    _posts.all.append(post)
    return post


def _changing(room: Room) -> asyncio.Lock:
    # Made when needed: most rooms change once, and sockets are many.
    room.changing = room.changing or asyncio.Lock()
    return room.changing


def _pass_on(message: dict[str, Any]) -> None:
    try:
        audience.tell(message["room"], from_dict(message["event"]))
    except Exception as exc:  # noqa: BLE001  (of another version of us, say)
        logger.warning("event not understood fault=%s", type(exc).__name__)
