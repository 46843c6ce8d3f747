"""The runner: owns one reply from its claim to its end, with or without a socket."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any

from polly_htmx.chat import desk
from polly_htmx.chat.calls import calls_for
from polly_htmx.chat.claims import Claim, claim
from polly_htmx.chat.database import in_database
from polly_htmx.chat.display import Display
from polly_htmx.chat.events import NO_WORDS
from polly_htmx.chat.home import to_the_end
from polly_htmx.chat.keeper import Keeper
from polly_htmx.chat.leases import Figures, announce_end
from polly_htmx.chat.titles import title_soon
from polly_htmx.conf import conf
from polly_htmx.exceptions import PollyError
from polly_htmx.hooks import AnswerGate, summariser
from polly_htmx.llm import Event, Finished, LLMConnect, Reasoning, Text, Waking
from polly_htmx.llm.attempts import Attempt
from polly_htmx.llm.exceptions import Interrupted, TimedOut
from polly_htmx.models import Message, SmartConversation
from polly_htmx.signals import reply_started

logger = logging.getLogger(__name__)

SAVE_SECONDS = 30.0
"""How long a run keeps trying to save its end: a database comes back."""
KEPT_FOR_THE_REST = 2
"""Entries without which nobody could go on with an answer: its question and itself."""
HELPER_SECONDS = 10.0
"""How long a run waits for its own tasks to end."""
LATEST = 2.0
"""Seconds after REPLY_MAX_SECONDS that a run ends: hooks don't know of those."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a reply came to its end."""

    status: Message.Status
    error: str = ""
    finish_reason: str = ""


STOPPED = End(status=Message.Status.STOPPED)
INTERRUPTED = End(status=Message.Status.INTERRUPTED, error=Interrupted.code)


async def arun_reply(reply_id: int) -> None:
    """Run a pending reply to its end. Does nothing if another runner has it."""
    claimed = await to_the_end(in_database(claim)(reply_id))
    if claimed is not None:
        await arun_claimed(claimed)


async def arun_claimed(claimed: Claim) -> None:
    """Run a reply to its end that has been claimed for this very call."""
    await _Run(claimed).go()


class _Run:
    """One reply while it is written; on the desk, where others reach it."""

    def __init__(self, claimed: Claim) -> None:
        self._claimed = claimed
        self.reply = reply = claimed.reply
        self.prompt = prompt = claimed.prompt
        owner = claimed.owner
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.figures = Figures(model=prompt.model)
        self.keeper = Keeper(
            reply,
            owner,
            text=lambda: self.display.text,
            thoughts=lambda: self.display.thoughts.text,
        )
        self.display = Display(reply, owner.hex, self.keeper.holds)
        self._work: asyncio.Task[End] | None = None
        self._cut: End | None = None
        self._attempts: Sequence[Attempt] = ()

    # What others want, by way of the desk

    def stop(self) -> None:
        """End the reply as a person wants it: its text stays."""
        self._cut_short(STOPPED)

    def interrupt(self) -> None:
        """End the reply because this process ends."""
        self._cut_short(INTERRUPTED)

    @property
    def text(self) -> str:
        """Return what the reply says so far."""
        return self.display.text

    def ask(self, channel: str) -> None:
        """Tell one follower how the reply stands."""
        self.display.ask(channel)

    def _cut_short(self, end: End) -> None:
        if self._cut is None and self._work is not None:
            self._cut = end
            self._work.cancel()

    # The reply's life

    async def go(self) -> None:
        """Stream, keep the lease meanwhile, and save the end whatever it is."""
        desk.enter(self.reply.pk, self)
        self._work = asyncio.create_task(self._stream())
        helpers: list[asyncio.Task[Any]] = [
            asyncio.create_task(self.keeper.run(self.stop, self.interrupt)),
            asyncio.create_task(self.display.run()),
        ]
        end = INTERRUPTED
        try:
            await asyncio.wait({self._work})
            end = self._result(self._work)
        finally:
            # To its end, however often this task is cancelled meanwhile.
            await to_the_end(self._close([self._work, *helpers], end))

    async def _close(self, tasks: list[asyncio.Task[Any]], end: End) -> None:
        """End all that belongs to the run, and save how it ended."""
        try:
            for task in tasks:
                task.cancel()
            await _over(tasks)
            if not self.keeper.lost:
                await self._finish(end)
        finally:
            desk.leave(self.reply.pk)
            self.over.set_result(None)

    def _result(self, work: asyncio.Task[End]) -> End:
        if work.cancelled():
            return self._cut or INTERRUPTED
        return work.result()

    async def _stream(self) -> End:
        try:
            await self._tell_of_start()
            finished = await self._follow_in_time()
        except PollyError as exc:
            return End(status=Message.Status.FAILED, error=exc.code)
        except Exception as exc:  # noqa: BLE001  (a reply must always reach its end)
            # Only the kind: the text of a foreign exception may hold anything.
            logger.error(  # noqa: TRY400
                "reply failed reply=%s fault=%s",
                self.reply.external_id,
                type(exc).__name__,
            )
            return End(status=Message.Status.FAILED, error=PollyError.code)
        return End(status=Message.Status.COMPLETE, finish_reason=finished)

    async def _tell_of_start(self) -> None:
        if not reply_started.has_listeners(SmartConversation):
            return  # Nobody's change of threads.
        about = {"conversation": self.reply.conversation, "message": self.reply}
        try:
            await in_database(reply_started.send_robust)(SmartConversation, **about)
        except Exception as exc:  # noqa: BLE001  (whoever listens may raise anything)
            logger.error(  # noqa: TRY400  (a foreign text may hold anything)
                "reply_started failed fault=%s", type(exc).__name__
            )

    async def _follow_in_time(self) -> str:
        try:
            async with asyncio.timeout(conf.REPLY_MAX_SECONDS + LATEST) as limit:
                return await self._follow_model()
        except TimeoutError:
            if not limit.expired():
                raise
        raise TimedOut("The answer was not through in time.")

    async def _follow_model(self) -> str:
        """Show what the model writes; return the provider's reason for the end."""
        prompt, gate = self.prompt, AnswerGate(self.reply)
        # As a Parrot: its parameters may not say where the key is sent.
        invoker = LLMConnect.for_parrot(prompt).invoker(history=prompt.history)
        invoker.kept = KEPT_FOR_THE_REST if prompt.is_rest else 0
        invoker.summarise = summariser(self.reply)
        reason = ""
        try:
            async with aclosing(invoker.astream_events(prompt.text)) as events:
                async for event in events:
                    if isinstance(event, Text):
                        self.figures.heard()
                        self.display.speak()
                        self._show(await gate.add(event.text))
                    elif isinstance(event, Finished):
                        reason = event.reply.finish_reason or ""
                    else:
                        self._look_into(event, gate)
            self._show(await gate.end())
        finally:
            self._attempts = invoker.attempts
            self.reply.left_out = prompt.unread + invoker.left_out
        return reason

    def _look_into(self, event: Event, gate: AnswerGate) -> None:
        """Show what the model does before it answers."""
        if isinstance(event, Waking):
            self.display.wake()
        elif isinstance(event, Reasoning):
            self.figures.heard()
            # No hook is asked about thoughts, so where answers need leave to be shown
            # these get none, and nobody ever sees or stores them.
            self.display.think("" if gate.active else event.text)

    def _show(self, text: str) -> None:
        if self._cut is not None:
            # A hook may have caught the cancellation that was meant for all of us.
            raise asyncio.CancelledError
        if text:
            self.display.add(text)

    async def _finish(self, end: End) -> None:
        """Save the end, if this runner still owns the reply, and tell of it."""
        last = NO_WORDS
        try:
            last = await self.display.end()
        except Exception as exc:  # noqa: BLE001  (an end is saved whatever is shown)
            _log_fault(exc)
        reply = self.reply
        reply.content = self.display.text
        reply.reasoning = self.display.thoughts.text
        reply.thought_seconds = self.display.thoughts.seconds
        reply.status, reply.error = end.status, end.error
        reply.finish_reason = end.finish_reason
        self._count()
        await self._save(partial(announce_end, reply, figures=self.figures, last=last))

    def _count(self) -> None:
        """Take from the calls to models who answered, and what it took."""
        self.figures.ended()
        if self._attempts:
            last = self._attempts[-1]
            self.figures.usage = last.usage
            stood_in = last.has_spoken and last.model != self.prompt.model
            self.reply.answered_by = last.model if stood_in else ""

    async def _save(self, tell: Callable[[], None]) -> None:
        """Try until the database takes the end, or says that it is not ours."""
        last_try = time.monotonic() + SAVE_SECONDS
        wait = 0.2
        while True:
            try:
                await in_database(self._save_once)(tell)
            except Exception as exc:
                logger.warning(
                    "end not saved yet reply=%s fault=%s",
                    self.reply.external_id,
                    type(exc).__name__,
                )
                if time.monotonic() + wait > last_try:
                    raise
            else:
                return
            await asyncio.sleep(wait)
            wait = min(2 * wait, 3.0)

    def _save_once(self, tell: Callable[[], None]) -> None:
        if not self.keeper.end(calls_for(self.reply, self._attempts)):
            return
        try:
            tell()
        except Exception as exc:  # noqa: BLE001  (whoever listens may raise anything)
            _log_fault(exc)
        title_soon(self._claimed)


async def _over(tasks: list[asyncio.Task[Any]]) -> None:
    """
    Wait for some cancelled tasks, and name what went wrong in one.

    Not for ever: an end is saved even if foreign code holds its cancellation up.
    """
    done, hanging = await asyncio.wait(tasks, timeout=HELPER_SECONDS)
    for task in done:
        if not task.cancelled() and (exc := task.exception()) is not None:
            _log_fault(exc)
    if hanging:
        logger.error("tasks of a reply do not end count=%s", len(hanging))


def _log_fault(exc: BaseException) -> None:
    # Only the kind: a foreign text may hold anything.
    logger.error("showing a reply failed fault=%s", type(exc).__name__)
