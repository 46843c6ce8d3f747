"""What happens in a conversation, as its followers hear it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal

Phase = Literal["", "waking", "thinking"]
"""What a running reply does before its first word, or "" once it writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnTaken:
    """A person sent a message at the end of the path; its reply is pending."""

    message_id: int
    reply_id: int | None
    state: str
    """The conversation's mark after it: see conversations.state_of()."""
    rows: tuple[Any, ...] = field(default=(), compare=False, repr=False)
    """The Messages as they were stored, for followers in the same process, who need
    not read them then. They don't travel, and nobody may change them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathChanged:
    """The conversation shows another path, or a reply runs on: show it afresh."""

    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyGrew:
    """A running reply has grown. The texts are HTML, rendered and sanitised, in no
    one's language: see markdown.Change for what a page does with them."""

    reply_id: int
    reply: str
    """The reply's public id."""
    run: str
    """Names the runner: its numbers are a series of their own."""
    number: int
    """Counts up by one within a run, so that a follower sees what it missed."""
    closed: str
    tail: str | None
    kind: str
    grown: str
    open: str | None
    thought: str = ""
    """What is added to the thoughts: escaped text."""
    opens: bool = False
    """Whether that is the first of them."""
    phase: Phase | None = None
    """What the reply does from now on, None if nothing else than before."""
    relabels: bool = False
    """Whether the thoughts on the page say of themselves what the phase is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplySoFar:
    """A running reply as it stands: the answer to a follower who asked."""

    reply_id: int
    run: str
    number: int
    closed: str
    tail: str
    thoughts: str = ""
    phase: Phase = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWords:
    """
    What pages lack of a reply at its end.

    Who has seen all numbers of the run before can show the end by ``closed``, if there
    is any or no ``html``; all can by ``html``. Everybody else reads the row.
    """

    run: str = ""
    """See ReplyGrew; "" where everybody has to read the row."""
    number: int = 0
    closed: str = ""
    """What goes before the tail, which then goes away."""
    thought: str = ""
    """What is added to the thoughts: escaped text."""
    was_thinking: bool = False
    """Whether pages still show that the model thinks."""
    is_empty: bool = False
    """Whether the model has said nothing, besides what it thought."""
    html: str | None = None
    """The whole answer, where it is short, or where what was shown has changed. Never
    for one with thoughts: a reader may have opened them, and they would close."""


NO_WORDS = LastWords()
"""By these all pages read the row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyEnded(LastWords):
    """A reply has reached its end."""

    reply_id: int
    status: str
    error: str
    finish_reason: str
    state: str
    answered_by: str = ""
    """Name of the model that answered in place of the Parrot's own."""
    left_out: int = 0
    """How many earlier messages the model was not told."""
    thought_seconds: int | None = None
    """For how long it thought; None where nobody knows, or it did not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackGiven:
    """The reader has said what they think of an answer, or has taken it back."""

    message_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueChanged:
    """Other messages wait for their turn than before, or for something else."""

    at: str
    """When, so that two changes are two events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListChanged:
    """A conversation changed in its owner's list; told to all pages with that list."""

    conversation: str
    """Its public id."""
    is_back: bool = False
    """Whether it was gone from the list."""
    page: str = ""
    """The page that has done it, which is told by its own answer."""


Event = (
    TurnTaken
    | PathChanged
    | QueueChanged
    | ReplyGrew
    | ReplySoFar
    | ReplyEnded
    | FeedbackGiven
    | ListChanged
)

_KINDS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        TurnTaken,
        PathChanged,
        QueueChanged,
        ReplyGrew,
        ReplySoFar,
        ReplyEnded,
        FeedbackGiven,
        ListChanged,
    )
}

_FIELDS = {
    kind: [each.name for each in fields(kind) if each.compare]
    for kind in _KINDS.values()
}


def to_dict(event: Event) -> dict[str, Any]:
    """Return the event as plain data that every channel layer carries."""
    # By hand: asdict() copies each value, and this runs for every frame.
    values = {name: getattr(event, name) for name in _FIELDS[type(event)]}
    return {"event": type(event).__name__, **values}


def from_dict(data: dict[str, Any]) -> Event:
    """Return the event that to_dict() made this data from."""
    values = dict(data)
    return _KINDS[values.pop("event")](**values)
