"""Audience: how many sockets of this process follow a conversation."""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

# Weakly: a server may end a socket without a word.
_audiences: dict[int, WeakSet[Any]] = {}


def join(conversation_id: int, follower: object) -> None:
    """Count one more; the same follower counts once."""
    _audiences.setdefault(conversation_id, WeakSet()).add(follower)


def leave(conversation_id: int, follower: object) -> None:
    """Count one less; harmless for one that has not joined."""
    followers = _audiences.get(conversation_id)
    if followers is not None:
        followers.discard(follower)
        if not followers:
            del _audiences[conversation_id]


def size(conversation_id: int) -> int:
    """Return how many follow at the moment."""
    return len(_audiences.get(conversation_id, ()))
