"""Parcels: what is long comes in several frames, none too large for a server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from dataclasses import replace

from polly_htmx.chat.events import ReplyGrew
from polly_htmx.fragments.frames import snapshot, turn
from polly_htmx.fragments.rendering import Reader
from polly_htmx.fragments.replies import (
    reply_closed,
    reply_ended,
    reply_grew,
    reply_streaming,
)
from polly_htmx.fragments.thoughts import NO_PRELUDE, Prelude, lots, thought_grew
from polly_htmx.markdown.parts import END, PART, REST, piece_of
from polly_htmx.models import Message, SmartConversation

PARCEL = 40_000
"""Bytes of HTML in one frame. A server's limit on what it takes binds what it sends as
well, and 64 kB is a usual one. Only a single block that is longer goes as it is."""
MARKUP = 1_500
"""About how many bytes an article has around its content."""

_TAG = re.compile(r'<(/?)([a-z][a-z0-9]*)(?:[^">]|"[^"]*")*>')
_VOID = {"br", "hr", "img"}


def streaming_parcels(
    conversation: SmartConversation,
    reply: Message,
    *,
    closed: str,
    tail: str,
    prelude: Prelude = NO_PRELUDE,
    reader: Reader = "owner",
) -> list[str]:
    """Return the frames that show a running reply whole; see reply_streaming()."""
    first, *more = _lots(closed)
    thought, *thoughts_left = lots(prelude.thoughts)
    if thought and _size(thought) + _size(first) + _size(tail) > PARCEL:
        first, more = "", [first, *more]
    is_one = not more and _size(first) + _size(tail) <= PARCEL
    last = tail if is_one else ""
    frames = [
        reply_streaming(
            conversation,
            reply,
            closed=first,
            tail=last,
            prelude=replace(prelude, thoughts=thought),
            reader=reader,
        )
    ]
    frames += [thought_grew(str(reply.external_id), lot) for lot in thoughts_left]
    frames += [reply_grew(_growth(reply, closed=lot)) for lot in more]
    if tail != last:
        frames.append(reply_grew(_growth(reply, tail=tail)))
    return frames


def grew_parcels(event: ReplyGrew) -> list[str]:
    """Return the frames by which a running reply grows; see reply_grew()."""
    frames = []
    if event.thought:
        added = "" if event.opens else event.thought
        frames = [thought_grew(event.reply, lot) for lot in lots(added)]
        event = replace(event, thought="", opens=False)
    *before, last = _lots(event.closed)
    frames += [
        reply_grew(replace(event, closed=lot, tail=None, kind="", grown="", open=None))
        for lot in before
    ]
    frames.append(reply_grew(replace(event, closed=last) if before else event))
    return [frame for frame in frames if frame]


def closed_parcels(
    conversation: SmartConversation,
    reply: Message,
    *,
    closed: str,
    thought: str = "",
    was_thinking: bool = False,
    reader: Reader = "owner",
) -> list[str]:
    """Return the frames that end a reply on a page in step; see reply_closed()."""
    *before, last = _lots(closed)
    frames = [thought_grew(str(reply.external_id), lot) for lot in lots(thought) if lot]
    frames += [reply_grew(_growth(reply, closed=lot)) for lot in before]
    end = reply_closed(
        conversation, reply, closed=last, was_thinking=was_thinking, reader=reader
    )
    return [*frames, end]


def ended_parcels(
    conversation: SmartConversation,
    reply: Message,
    *,
    html: str | None,
    reader: Reader = "owner",
) -> list[str]:
    """Return the frames that show an ended reply whole; see reply_ended()."""
    html = str(reply.html) if html is None else html
    prelude = Prelude(thoughts=str(reply.thoughts))
    if _size(html) + _size(prelude.thoughts) <= PARCEL:
        return [reply_ended(conversation, reply, html=html, reader=reader)]
    first = streaming_parcels(
        conversation, reply, closed=html, tail="", prelude=prelude, reader=reader
    )
    return [*first, reply_closed(conversation, reply, closed="", reader=reader)]


def snapshot_parcels(
    conversation: SmartConversation,
    messages: list[Message],
    *,
    reader: Reader = "owner",
) -> list[str]:
    """Return the frames that show the newest messages afresh; see snapshot()."""
    frames: list[str] = []
    for lot in _lots_of(messages):
        add = turn if frames else snapshot
        if len(lot) > 1 or not _is_long(lot[0]):
            frames.append(add(conversation, lot, reader=reader))
            continue
        message = lot[0]
        hollow = copy(message)
        hollow.content = hollow.reasoning = ""
        frames.append(add(conversation, [hollow], reader=reader))
        if message.is_running:
            html = str(message.html)
            frames += streaming_parcels(
                conversation,
                message,
                closed=html,
                tail="",
                prelude=Prelude.of(message),
                reader=reader,
            )
        else:
            frames += ended_parcels(conversation, message, html=None, reader=reader)
    return frames


def _growth(reply: Message, *, closed: str = "", tail: str | None = None) -> ReplyGrew:
    return ReplyGrew(
        reply_id=reply.pk,
        reply=str(reply.external_id),
        run="",
        number=0,
        closed=closed,
        tail=tail,
        kind="",
        grown="",
        open=None,
    )


def _lots_of(messages: list[Message]) -> Iterator[list[Message]]:
    """Yield neighbours that fit into one frame together; a long reply by itself."""
    lot: list[Message] = []
    filled = 0
    for message in messages:
        size = _estimate(message)
        if lot and (filled + size > PARCEL or _is_long(message)):
            yield lot
            lot, filled = [], 0
        lot.append(message)
        filled += size
        if _is_long(message):
            yield lot
            lot, filled = [], 0
    if lot:
        yield lot


def _is_long(message: Message) -> bool:
    is_reply = message.party == Message.Party.ASSISTANT
    return is_reply and _estimate(message) > PARCEL


def _estimate(message: Message) -> int:
    # Markup and colours make it half as long again.
    return MARKUP + _size(message.content) * 3 // 2 + _size(message.thoughts)


def _size(html: str) -> int:
    return len(html.encode())


def _lots(html: str) -> list[str]:
    """Return rendered blocks in lots that fit into frames, cut between blocks."""
    if _size(html) <= PARCEL:
        return [html]
    lots: list[str] = []
    start = filled = 0
    cut, began = (0, False), False
    for end, inside in _gaps(html):
        size = _size(html[cut[0] : end])
        if cut[0] > start and filled + size > PARCEL:
            lot = html[start : cut[0]] + (END if cut[1] else "")
            lots.append(piece_of(lot, inside=began))
            (start, began), filled = cut, 0
        cut, filled = (end, inside), filled + size
    return [*lots, piece_of(html[start:], inside=began)]


def _gaps(html: str) -> Iterator[tuple[int, bool]]:
    """Yield where blocks end, and whether in a part, which goes on behind them."""
    depth, inside = 0, False
    for tag in _TAG.finditer(html):
        if tag[2] not in _VOID:
            depth += -1 if tag[1] else 1
        if tag[0] in {PART, REST}:
            inside = True
        elif depth == inside:
            yield tag.end(), inside
        elif not depth:
            inside = False
