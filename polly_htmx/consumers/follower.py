"""The follower: turns what happens in a conversation into frames for one page."""

from __future__ import annotations

import time
from copy import copy
from functools import partial

from polly_htmx import fragments
from polly_htmx.chat import dispatch, posts
from polly_htmx.chat.conversations import Sight, leaf_of, look
from polly_htmx.chat.database import in_database
from polly_htmx.chat.events import (
    Event,
    FeedbackGiven,
    ListChanged,
    PathChanged,
    QueueChanged,
    ReplyEnded,
    ReplyGrew,
    ReplySoFar,
    TurnTaken,
)
from polly_htmx.consumers import steps
from polly_htmx.consumers.outbox import Outbox
from polly_htmx.consumers.view import Frames, View
from polly_htmx.models import Message, SmartConversation


class Follower(View):
    """
    What one page shows of a conversation, and how it keeps up.

    Events of a run are numbered. A page that has seen all of them gets the pieces;
    one that joins, comes back or misses one asks the run how it stands, and is shown
    the reply whole. The database is the truth wherever events fail: see look().
    """

    def __init__(
        self,
        conversation: SmartConversation,
        *,
        reader: fragments.Reader,
        language: str,
        outbox: Outbox,
    ) -> None:
        super().__init__(conversation, reader=reader, language=language)
        self.state = ""
        self.reply: Message | None = None
        self.heard = time.monotonic()
        self._outbox = outbox
        self._first = 0
        self._last = 0
        self._run = ""
        # The last event shown; None while we wait for the reply as it stands.
        self._number: int | None = None
        self._begun = False
        # The run that we have asked since we lost track, and the length of the text
        # that the database had when we heard nothing.
        self._asked = ""
        self._polled: int | None = None

    async def begin(self, state: str, first: int) -> Frames:
        """Take up a page that was made with a mark, and return what it lacks."""
        self.state, self._first = state, first
        return await self.look()

    async def look(self) -> Frames:
        """Return what the page lacks, by the database."""
        key = "look", self.state, self._first
        sight, frames = await self._with_others(key, in_database(self._sight))
        await self._follow(sight)
        return frames

    async def frames(self, event: Event) -> Frames:
        """Return what the page must do after an event."""
        frames = await self._after(event)
        if self.reply is None or self._number is not None:
            # Not where the page waits to be told how the reply stands: the layer may
            # lose that word too, and bring nothing but events that fit nowhere.
            self.heard, self._polled = time.monotonic(), None
        return frames

    async def _after(self, event: Event) -> Frames:
        match event:
            case TurnTaken():
                return await self._turn(event)
            case PathChanged():
                return [] if event.state == self.state else await self.look()
            case ReplyGrew():
                return await self._grew(event)
            case ReplySoFar():
                return self._so_far(event)
            case ReplyEnded():
                return await self._ended(event)
            case QueueChanged() | FeedbackGiven() | ListChanged():
                return await self._beside(event)

    async def poll(self) -> Frames:
        """Return what the database has, for a page that has heard nothing for long."""
        reply = self.reply
        if reply is None or self._outbox.is_slow:
            return []  # A slow page gets the whole with its next acknowledgement.
        messages, frames = await self._with_others(
            ("row", reply.pk), lambda: self._rendered([reply.pk], self._by_row)
        )
        if not messages or not messages[0].is_running:
            return await self.look()
        await self._ask(reply.pk)
        length, before = len(messages[0].content), self._polled
        self._polled = length
        if before is not None and length > before:
            self._number = None  # It grows, and nobody tells us.
        if self._number is None and length and length != before:
            return frames
        return []

    def forget(self) -> None:
        """Count nothing as shown: something went wrong, and look() shows it all."""
        self.state, self._number = "", None

    async def ask(self) -> None:
        """Have the run tell how the reply stands, where the page does not know."""
        if self.reply is not None and self._number is None and not self._outbox.is_slow:
            self._asked = self._run
            await self._ask(self.reply.pk)

    async def _ask(self, reply_id: int) -> None:
        # The answer is for all pages of this process that lack it.
        address = posts.address(self.conversation)
        await self._with_others(
            ("ask", reply_id), lambda: dispatch.ask(reply_id, address)
        )

    # Events

    async def _beside(
        self, event: QueueChanged | FeedbackGiven | ListChanged
    ) -> Frames:
        """Show what has changed beside the messages themselves."""
        if isinstance(event, ListChanged):
            return []  # Not of the conversation: see lists.py.
        if isinstance(event, QueueChanged):
            work = in_database(partial(self._render, fragments.queue))
            return [await self._with_others(event, work)]
        show = partial(self._render, fragments.feedback_parcels)
        return (await self._rendered([event.message_id], show))[1]

    async def _turn(self, event: TurnTaken) -> Frames:
        ids = [event.message_id, event.reply_id]
        messages, frames = await self._with_others(
            event,
            lambda: self._rendered(
                ids,
                lambda found: [self._render(fragments.turn, found)],
                event.rows,
            ),
        )
        if not messages or messages[0].sequence <= self._last:
            return []  # It was in what the page has been sent already.
        if self.reply is not None or messages[0].parent_id != leaf_of(self.state):
            # What came before it is lost, or on its way from another process.
            return await self.look()
        self.state, self._last = event.state, messages[-1].sequence
        if event.reply_id is not None:
            self.reply, self._run, self._number = copy(messages[-1]), "", 0
            self._begun = False
        return frames

    async def _grew(self, event: ReplyGrew) -> Frames:
        reply = self.reply
        if reply is None or reply.pk != event.reply_id:
            return await self.look()
        if self._number is None:
            return await self._lose_track(event.run)
        if self._number == 0 and event.number == 1:
            self._run = event.run
        if event.run == self._run and event.number <= self._number:
            return []
        if event.run != self._run or event.number != self._number + 1:
            return await self._lose_track(event.run)
        return self._in_step(reply, event)

    def _in_step(self, reply: Message, event: ReplyGrew) -> Frames:
        """Return the frame of the next event."""
        if self._outbox.is_slow:
            # With its next acknowledgement it gets the whole: see the outbox.
            self._number = None
            return []
        self._number = event.number
        if self._begun:
            return self._made(event, lambda: self._grown(reply, event))
        return self._streaming(reply, event)

    async def _lose_track(self, run: str) -> Frames:
        """Ask how the reply stands; once for each run, where we wait for it already."""
        if self._number is None and run == self._asked:
            return []
        self._run = run if self._number is None else self._run
        self._number = None
        await self.ask()
        return []

    def _so_far(self, event: ReplySoFar) -> Frames:
        reply = self.reply
        if reply is None or reply.pk != event.reply_id:
            return []
        known = self._number is not None and event.run == self._run
        if known and event.number <= (self._number or 0):
            return []
        self._run, self._number = event.run, event.number
        return self._streaming(reply, event)

    async def _ended(self, event: ReplyEnded) -> Frames:
        reply = self.reply
        if reply is None or reply.pk != event.reply_id:
            return [] if event.state == self.state else await self.look()
        in_step = (
            self._begun
            and event.run == self._run
            and self._number is not None
            and event.number == self._number + 1
        )
        self.state, self.reply = event.state, None
        steps.end(reply, event)
        if event.run and in_step and (event.closed or event.html is None):
            closed = partial(self._render, fragments.closed_parcels)
            return self._made(
                ("closed", event), lambda: closed(reply, **steps.last(event))
            )
        if event.html:  # Else there may be a text all the same: the row knows.
            ended = partial(self._render, fragments.ended_parcels, html=event.html)
            return self._made(event, lambda: ended(reply))
        _messages, frames = await self._rendered([reply.pk], self._by_row)
        return frames

    # Rows

    def _sight(self) -> tuple[Sight, Frames]:
        sight = look(self.conversation, self.state, self._first)
        if sight.is_elsewhere and self._reader == "owner":
            return sight, [self._render(fragments.afresh)]
        if not sight.missed:
            return sight, []  # It shows what there is.
        frames = self._render(fragments.snapshot_parcels, sight.missed)
        if sight.waiting is not None:
            frames.append(self._render(fragments.queue, waiting=sight.waiting))
        return sight, frames

    async def _follow(self, sight: Sight) -> None:
        self.state, self._last = sight.state, sight.last
        known = self.reply is not None and self._number is not None
        same = (self.reply and self.reply.pk) == (sight.running and sight.running.pk)
        if same and known and sight.missed is None:
            return
        self.reply, self._run, self._asked = copy(sight.running), "", ""
        self._begun = False
        fresh = sight.running is not None and sight.running.is_fresh
        # The first event of a run that has yet to begin will hold everything.
        self._number = 0 if fresh else None
        await self.ask()

    def _streaming(self, reply: Message, event: ReplyGrew | ReplySoFar) -> Frames:
        self._begun = True
        reply.status = Message.Status.STREAMING
        render = partial(self._render, fragments.streaming_parcels, reply)
        return self._made(("whole", event), lambda: render(**steps.whole(event)))
