"""What happens in a conversation, as its followers hear it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnTaken:
    """A person sent a message; its reply is pending."""

    message_id: int
    reply_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyText:
    """A running reply has come this far."""

    reply_id: int
    reply: str
    """The reply's public id."""
    number: int
    """Counts up by one within a reply, so that a follower sees what it missed."""
    html: str
    """The whole answer so far, rendered and sanitised, in no one's language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyEnded:
    """A reply has reached its end; the row says which."""

    reply_id: int


Event = TurnTaken | ReplyText | ReplyEnded

_KINDS: dict[str, type[Event]] = {
    kind.__name__: kind for kind in (TurnTaken, ReplyText, ReplyEnded)
}


def to_dict(event: Event) -> dict[str, Any]:
    """Return the event as plain data that every channel layer carries."""
    return {"kind": type(event).__name__, **asdict(event)}


def from_dict(data: dict[str, Any]) -> Event:
    """Return the event that to_dict() made this data from."""
    fields = dict(data)
    return _KINDS[fields.pop("kind")](**fields)
