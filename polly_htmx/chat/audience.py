"""Audience: the sockets of this process that follow conversations."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any, Protocol
from weakref import ref

from polly_htmx.chat.events import Event


class Followed(Protocol):
    """What sockets follow: a conversation, or a person's list of them."""

    @property
    def external_id(self) -> uuid.UUID:
        """Names it on the channel layer."""


class Listener(Protocol):
    """A socket that follows a conversation."""

    def hear(self, event: Event) -> None:
        """Take an event; never waits."""


class Room:
    """The listeners of one conversation. Made for each, so it is kept small."""

    __slots__ = ("changing", "is_joined", "listeners", "post")

    def __init__(self) -> None:
        # Weakly: a server may end a socket without a word.
        self.listeners: list[ref[Listener]] = []
        self.changing: asyncio.Lock | None = None
        """Held while the room joins or leaves its group of the channel layer."""
        self.is_joined = False
        self.post: Any = None
        """Where what other processes say of the conversation arrives: see posts.py."""


class _House:
    """The rooms of one event loop."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.name = ""
        self.rooms: dict[str, Room] = {}


_house = _House()


def name() -> str:
    """Return what marks the words of this process; "" before anybody follows."""
    return _house.name


def enter(room_name: str, listener: Listener) -> Room:
    """
    Let a socket hear what is told in a room; the same one counts once.

    To be called on the loop that serves sockets, which may be another one than before.
    """
    loop = asyncio.get_running_loop()
    if _house.loop is not loop:
        # A new name with it, for a process that was forked is another one.
        _house.loop, _house.name, _house.rooms = loop, uuid.uuid4().hex, {}
    room = _house.rooms.setdefault(room_name, Room())
    room.listeners = [each for each in _alive(room) if each() is not listener]
    room.listeners.append(ref(listener))
    return room


def leave(room_name: str, listener: Listener) -> Room | None:
    """Let a socket hear no more; return its room. Harmless for one that is not in."""
    room = _house.rooms.get(room_name)
    if room is not None:
        room.listeners = [each for each in _alive(room) if each() is not listener]
    return room


def close(room_name: str, room: Room) -> None:
    """Forget an empty room."""
    if _house.rooms.get(room_name) is room and not room.listeners:
        del _house.rooms[room_name]


def find(room_name: str) -> Room | None:
    """Return a room that somebody is in, or was until now."""
    return _house.rooms.get(room_name)


def size(room_name: str) -> int:
    """Return how many sockets of this process follow at the moment."""
    room = _house.rooms.get(room_name)
    return 0 if room is None else len(room.listeners)


def tell(room_name: str, event: Event) -> None:
    """Hand an event to all in a room, the same to each; from any event loop."""
    loop = _house.loop
    if loop is None or room_name not in _house.rooms:
        return
    if loop is asyncio.get_running_loop():
        _tell(room_name, event)
    elif loop.is_running():
        loop.call_soon_threadsafe(_tell, room_name, event)


def _tell(room_name: str, event: Event) -> None:
    room = _house.rooms.get(room_name)
    for each in [] if room is None else room.listeners:
        if (listener := each()) is not None:
            listener.hear(event)


def _alive(room: Room) -> list[ref[Listener]]:
    return [each for each in room.listeners if each() is not None]
