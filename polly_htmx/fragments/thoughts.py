"""Thoughts: the frames of what a reply does before its first word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from polly_htmx.chat.events import Phase, ReplyGrew
from polly_htmx.fragments.rendering import Reader, frame
from polly_htmx.markdown import vouched
from polly_htmx.models import Message, SmartConversation

LOT = 10_000
"""Characters of escaped text in one frame: in UTF-8 they fit into a parcel."""
ENTITY = 8
"""More characters than any reference has that our escaping writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prelude:
    """What stands before an answer, and what of it is said."""

    thoughts: str = ""
    """Escaped text."""
    phase: Phase | None = None
    """None says nothing: what the reply does is what it did."""
    is_there: bool = False
    """Whether the page has the reply's article, without a word yet. Then what is around
    the words need not be sent again."""

    @classmethod
    def of(cls, reply: Message) -> Self:
        """Return what the row of a reply says."""
        phase: Phase | None = "thinking" if reply.is_thinking else None
        return cls(thoughts=str(reply.thoughts), phase=phase)


NO_PRELUDE = Prelude()


def thoughts_begun(
    conversation: SmartConversation,
    reply: Message,
    *,
    thoughts: str,
    phase: Phase,
    reader: Reader = "owner",
) -> str:
    """Return the frame that puts the first thoughts before the answer."""
    return frame(
        "thoughts",
        conversation,
        message=reply,
        thoughts=vouched(thoughts),
        phase=phase,
        reader=reader,
    )


def phase_changed(
    conversation: SmartConversation,
    reply: Message,
    *,
    phase: Phase,
    relabels: bool,
    reader: Reader = "owner",
) -> str:
    """Return the frame that says what a running reply does from now on."""
    return frame(
        "phase",
        conversation,
        message=reply,
        phase=phase,
        relabels=relabels,
        reader=reader,
    )


def thought_grew(reply: str, thought: str) -> str:
    """Return the order to add to the thoughts; "" for nothing."""
    if not thought:
        return ""
    return f'<div hx-swap-oob="beforeend:#polly-thought-{reply}">{thought}</div>'


def phase_parcels(
    conversation: SmartConversation,
    reply: Message,
    event: ReplyGrew,
    *,
    reader: Reader = "owner",
) -> list[str]:
    """Return the frames for what an event says of thoughts in a reader's language."""
    frames = []
    if event.opens:
        first, *more = lots(event.thought)
        frames = [
            thoughts_begun(
                conversation,
                reply,
                thoughts=first,
                phase=event.phase or "",
                reader=reader,
            ),
            *(thought_grew(event.reply, lot) for lot in more),
        ]
    if event.phase is not None:
        frames.append(
            phase_changed(
                conversation,
                reply,
                phase=event.phase,
                relabels=event.relabels,
                reader=reader,
            )
        )
    return frames


def lots(html: str) -> list[str]:
    """Return escaped text in lots that fit into frames, one at least."""
    return [*_cut(html)] or [""]


def _cut(html: str) -> Iterator[str]:
    start = 0
    while start < len(html):
        end = start + LOT
        mark = html.rfind("&", max(start + 1, end - ENTITY), end)
        if end < len(html) and mark > 0 and ";" not in html[mark:end]:
            end = mark
        yield html[start:end]
        start = end
