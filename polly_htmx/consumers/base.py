"""What all sockets of a conversation share: ask, follow, take turns, send frames."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from polly_htmx import fragments
from polly_htmx.chat import dispatch, posts
from polly_htmx.chat.conversations import state_of
from polly_htmx.chat.events import Event, ListChanged
from polly_htmx.consumers import closing, lasting, rights, watch
from polly_htmx.consumers.actions import ACTIONS, QUEUE_ACTIONS, act
from polly_htmx.consumers.counted import CountedLine
from polly_htmx.consumers.follower import Follower
from polly_htmx.consumers.frames import Frame, parse
from polly_htmx.consumers.lists import ListFollower
from polly_htmx.consumers.query import Query, number
from polly_htmx.consumers.seeing import Sight
from polly_htmx.consumers.turns import TurnTaker
from polly_htmx.consumers.view import Frames
from polly_htmx.exceptions import (
    AccessDenied,
    BadFrame,
    MessageGone,
    NotFound,
    PollyError,
    SignInRequired,
    TooManyFrames,
    TooManySockets,
)
from polly_htmx.models import QueuedMessage, SmartConversation
from polly_htmx.signals import raised_at

logger = logging.getLogger(__name__)

MAX_BAD_FRAMES = 30
"""Unreadable frames in a row after which a socket is closed."""
SILENCE = 1.5
"""Seconds without an event of a running reply after which a page asks the database."""


class ConversationConsumer(TurnTaker, CountedLine):
    """
    A socket that follows one conversation and sends HTML fragments to htmx.

    Subclasses say who may open it in authorise(), and may override the hooks
    get_parrot(), get_system_prompt(), get_context() and on_turn(): see TurnTaker.
    Hooks may be plain or async functions; plain ones run in a thread and may use the
    database.
    """

    actions = frozenset({"send", "seen", *ACTIONS, *QUEUE_ACTIONS})
    """What the page may ask for; a subclass may take some away."""
    reader: fragments.Reader = "owner"
    """Whose eyes the messages are rendered for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bad_frames = 0
        self.follower: Follower | None = None
        self.list: ListFollower | None = None
        self.sight: Sight | None = None
        self._lasting: asyncio.Task[None] | None = None
        # Events and the watch come from different tasks, and a page must get what
        # they lead to in one order.
        self.lock = asyncio.Lock()

    async def connect(self) -> None:
        dispatch.serve()
        query = Query.of(self.scope)
        self.language = query.language
        try:
            key = self.scope["url_route"]["kwargs"]["conversation"]
            await self.open_for(partial(rights.who_now, self), key)
            await self.count()
        except (AccessDenied, TooManySockets) as exc:
            await self.accept()
            await self.refuse(exc)
            return
        # First the group, then the rows: what happens in between is heard twice
        # rather than not at all.
        self.follower = Follower(
            self.conversation,
            reader=self.reader,
            language=self.language,
            outbox=self.outbox,
        )
        async with self.lock:
            await posts.follow(self.conversation, self)
            if query.listed and self.reader == "owner":
                self.list = ListFollower(self, query)
            missed = [] if self.list is None else await self.list.begin()
            await self.accept()
            await self._show(missed)
            await self._show(await self.follower.begin(query.state, query.first))
        if self.reader == "owner":
            self.sight = Sight(query.state)
            await self._look_on()  # A host's page may have shown what is new.
        watch.join(self, beside=rights.session(self))

    async def let_go(self) -> None:
        """See CountedLine."""
        await lasting.over(self._lasting)
        if self.follower is not None:
            await posts.unfollow(self.conversation, self)
        if self.list is not None:
            await self.list.end()

    # What comes in

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        if self.is_closed:
            return  # What was on its way when the line was closed.
        size = len(text_data or bytes_data or b"")
        await self._guarded(partial(self._take_frame, text_data, size))

    async def _take_frame(self, text: str | None, size: int) -> None:
        self.inbox.take(size, time.monotonic())
        frame = parse(text)
        if frame.action not in self.actions:
            raise BadFrame("an unknown action")
        work = partial(self._handle, frame)
        if not self.asks_the_site(frame.action):
            await work()
        else:  # A stop that comes meanwhile must not wait for it.
            work = partial(self._guarded, work)
            self._lasting = self._spawn(lasting.after(self._lasting, work))

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do what the page wants, and tell it what is wrong."""
        if self.is_closed:
            return
        try:
            await work()
        except (SignInRequired, NotFound, TooManyFrames) as exc:
            await self.refuse(exc)
        except PollyError as exc:
            await self._complain(exc)
        except Exception as exc:  # noqa: BLE001  (of the database, or a host's hooks)
            # Ended of it, the socket would come back and be sent the same again.
            logger.error(  # noqa: TRY400  (a foreign text may hold anything)
                "frame failed conversation=%s fault=%s at=%s",
                self.key,
                type(exc).__name__,
                raised_at(exc),
            )
            await self._complain(PollyError())

    async def heard(self, event: Event) -> None:
        """Send what happened in the conversation to the page; see Line."""
        follower = self.follower
        if follower is None or self.is_closed:
            return
        try:
            async with self.lock:
                if isinstance(event, ListChanged):
                    await self._show_in_list(event)
                else:
                    await self._show(await follower.frames(event))
        except Exception as exc:  # noqa: BLE001  (each database has its own faults)
            # What the page lacks now, the watch finds.
            follower.forget()
            logger.warning(
                "event not shown conversation=%s fault=%s", self.key, type(exc).__name__
            )

    # What the watch asks

    async def recheck(self) -> None:
        """
        See that this page may still be here and shows what there is.

        What the scope knows of the person is as old as the handshake, and a channel
        layer may drop what it was given.
        """
        follower = self.follower
        if follower is None or self.is_closed:
            return
        try:
            await rights.ask_again(self)
        except AccessDenied as exc:
            await self.refuse(exc)
            return
        follower.conversation = self.conversation  # One is enough to keep.
        missed = follower.reply is None and (
            state_of(self.conversation) != follower.state
        )
        if missed or not self.hears:
            # Perhaps the layer has forgotten us.
            await posts.follow(self.conversation, self, again=True)
        if self.list is not None:
            await self.list.again()
        if missed:
            await self._look()

    @property
    def beside(self) -> SmartConversation:
        """See ListListener."""
        return self.conversation

    @property
    def hears(self) -> bool:
        """Whether the channel layer brings us what happens, as far as we know."""
        return posts.hears(self.conversation)

    @property
    def waits(self) -> bool:
        """Whether a reply runs of which nothing has been heard for long."""
        follower = self.follower
        if follower is None or follower.reply is None or self.is_closed:
            return False
        return time.monotonic() - follower.heard > SILENCE

    async def poll(self) -> None:
        """Show what the database has of a reply that has been silent for long."""
        if self.follower is not None:
            async with self.lock:
                await self._show(await self.follower.poll())

    # Helpers

    async def _handle(self, frame: Frame) -> None:
        if frame.action == "seen":
            await self._seen(frame)
        else:
            await self._act(frame)
        self.bad_frames = 0

    async def _act(self, frame: Frame) -> None:
        who_now = partial(rights.who_now, self)
        if frame.action == "send":
            sent = await self.open_and_send(who_now, frame.message, frame.nonce)
            acknowledged = partial(
                fragments.acknowledged, waits=isinstance(sent, QueuedMessage)
            )
            await self.send_fragment(acknowledged, self.conversation, frame.nonce)
        else:
            await self.open_for(who_now, self.key)
            back = await act(self.conversation, self.who, frame)
            if back is not None:
                await self.send_fragment(fragments.given_back, self.key, *back)
        if not self.hears:
            await self._look()

    async def _seen(self, frame: Frame) -> None:
        """Count what the page has got; one that had fallen behind is shown anew."""
        count = number(frame.target)
        if count is None:
            raise BadFrame("seen is not a number")
        self.outbox.seen(count, time.monotonic())
        if self.follower is not None:
            async with self.lock:
                await self.follower.ask()
            await self._look_on()

    async def _look_on(self) -> None:
        """Take note that the page shows all there is, unless something is on its way."""
        follower = self.follower
        if self.sight is None or follower is None or self.outbox.behind:
            return
        if follower.reply is None:
            await self.sight.reach(self.conversation, self.who, follower.state)

    async def _complain(self, exc: PollyError) -> None:
        """Show what is wrong; close after too many frames that no page would send."""
        await self.send_fragment(fragments.error, self.key, exc)
        if isinstance(exc, MessageGone) and self.follower is not None:
            self.follower.forget()  # The page shows something that is not there.
            await self._look()
        if not isinstance(exc, BadFrame):
            return
        self.bad_frames += 1
        if self.bad_frames == 1:
            logger.info("bad frame conversation=%s fault=%s", self.key, exc)
        if self.bad_frames > MAX_BAD_FRAMES:
            await self.hang_up(closing.BAD_FRAMES)

    async def _look(self) -> None:
        """Show what the page lacks, by the database."""
        if self.follower is not None:
            async with self.lock:
                await self._show(await self.follower.look())

    async def _show_in_list(self, event: ListChanged) -> None:
        frame = "" if self.list is None else await self.list.frame(event)
        if frame:
            await self.send_frame(frame)

    async def _show(self, frames: Frames) -> None:
        for frame in frames:
            await self.send_frame(frame)
