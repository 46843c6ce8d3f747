"""Talks in a terminal: one that is forgotten, and one that is a conversation's."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from asgiref.sync import sync_to_async

from polly_htmx.access import Who
from polly_htmx.chat import astop_reply, atake_turn, desk, start_conversation
from polly_htmx.chat.conversations import newest_page
from polly_htmx.chat.home import to_the_end
from polly_htmx.chat.leases import interrupt_expired
from polly_htmx.chat.runner import arun_reply
from polly_htmx.conf import conf
from polly_htmx.exceptions import NoParrot, PollyError, user_message_for
from polly_htmx.llm import LLMConnect, Text, Waking
from polly_htmx.models import Message, Parrot, SmartConversation

LOOK = 0.05
"""Seconds between two looks at a reply that this process writes."""
LOOK_FAR = 0.5
"""The same for one that another process writes: each look asks the database."""
FOR_WORKERS = 5.0
"""Seconds that workers get to take a reply before this process writes it itself."""

Say = Callable[[str], None]


class Talk(ABC):
    """What the command needs of a chat."""

    @abstractmethod
    async def answer(self, text: str, say: Say, note: Say) -> None:
        """
        Send a message and say the answer as it grows.

        A cancellation stops the answer, and keeps what came. Raises PollyError.
        """

    @abstractmethod
    def anew(self) -> Talk:
        """Return an empty talk with the same Parrot."""

    def past(self) -> list[tuple[str, str]]:
        """Return who said what before."""
        return []


class Unstored(Talk):
    """A talk that nobody else sees, and that is gone when the command ends."""

    def __init__(self, parrot: Parrot | None) -> None:
        self._parrot = parrot
        connect = LLMConnect.for_parrot(parrot) if parrot else LLMConnect()
        self._invoker = connect.invoker()

    async def answer(self, text: str, say: Say, note: Say) -> None:
        """See Talk."""
        try:
            async with aclosing(self._invoker.astream_events(text)) as events:
                async for event in events:
                    if isinstance(event, Text):
                        say(event.text)
                    elif isinstance(event, Waking):
                        note("(The model is waking up.)")
        except asyncio.CancelledError:
            self._keep(text)
            raise

    def _keep(self, asked: str) -> None:
        """Let the model know of an answer that was stopped."""
        reply = self._invoker.reply
        if reply is not None and reply.text.strip():
            self._invoker.history += [
                {"role": "user", "content": asked},
                {"role": "assistant", "content": reply.text},
            ]

    def anew(self) -> Talk:
        """See Talk."""
        return Unstored(self._parrot)


class Stored(Talk):
    """A talk in a conversation, as its owner has it on the page."""

    def __init__(
        self, who: Who, parrot: Parrot | None, conversation: SmartConversation | None
    ) -> None:
        self._who, self._parrot = who, parrot
        self.conversation = conversation
        """None before the first message: a chat becomes rows with it."""

    async def answer(self, text: str, say: Say, note: Say) -> None:
        """See Talk."""
        if self.conversation is None:
            if self._parrot is None:
                raise NoParrot
            self.conversation = await sync_to_async(start_conversation)(
                self._parrot, who=self._who
            )
        turn = await atake_turn(self.conversation, text, who=self._who)
        if turn.reply is None:
            note("(A person of the staff will answer.)")
            return
        said = Said(turn.reply, say)
        writing = asyncio.ensure_future(_write(turn.reply, said))
        try:
            await said.until_over(writing)
        except asyncio.CancelledError:
            await to_the_end(self._stop(turn.reply, said, writing))
            raise
        ended = await said.rest()
        if ended.status in {Message.Status.FAILED, Message.Status.INTERRUPTED}:
            problem = PollyError()
            problem.user_message = user_message_for(ended.error)
            raise problem

    async def _stop(
        self, reply: Message, said: Said, writing: asyncio.Task[None]
    ) -> None:
        await astop_reply(reply, who=self._who)
        # In this process nobody sits at the desk.
        desk.handle({"type": "polly.stop", "reply_id": reply.pk})
        # A worker ends it by itself, and before that no other message is taken.
        await said.until_over(writing)
        await said.rest()

    def anew(self) -> Talk:
        """See Talk."""
        return Stored(self._who, self._parrot, None)

    def past(self) -> list[tuple[str, str]]:
        """See Talk."""
        if self.conversation is None:
            return []
        page = newest_page(self.conversation)
        return [(message.party, message.content) for message in page.messages]


async def _write(reply: Message, said: Said) -> None:
    """Write a reply, unless a worker does: they may have what this process has not."""
    end = time.monotonic() + FOR_WORKERS
    while conf.REPLIES == "worker" and time.monotonic() < end:
        if not await said.is_waiting():
            return
        await asyncio.sleep(LOOK_FAR)
    await arun_reply(reply.pk)


class Said:
    """How far a stored reply has been said."""

    def __init__(self, reply: Message, say: Say) -> None:
        self._reply, self._say = reply, say
        self._length = 0

    async def until_over(self, writing: asyncio.Task[None]) -> None:
        """Say the reply as it grows, whether this process writes it or another."""
        while not writing.done():
            await asyncio.wait({writing}, timeout=LOOK)
            self._add(desk.text_of(self._reply.pk) or "")
        writing.result()
        while (row := await self._row()).is_running:
            self._add(row.content)
            await asyncio.sleep(LOOK_FAR)
            await sync_to_async(interrupt_expired)()  # Its process may have died.

    async def is_waiting(self) -> bool:
        """Return whether nobody has taken the reply yet."""
        return (await self._row()).status == Message.Status.PENDING

    async def rest(self) -> Message:
        """Say what is left of a reply that has ended, and return it."""
        row = await self._row()
        self._add(row.content)
        return row

    async def _row(self) -> Message:
        rows: Any = Message.objects
        row: Message = await rows.aget(pk=self._reply.pk)
        return row

    def _add(self, text: str) -> None:
        if len(text) > self._length:
            self._say(text[self._length :])
            self._length = len(text)
