"""The runner: owns one reply from its claim to its end, with or without a socket."""

from __future__ import annotations

import asyncio
import logging
import uuid
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta

from channels.db import database_sync_to_async
from django.utils import timezone

from polly_htmx.chat.display import Display
from polly_htmx.chat.history import Prompt, prompt_for
from polly_htmx.chat.home import to_the_end
from polly_htmx.chat.leases import announce_end
from polly_htmx.conf import conf
from polly_htmx.exceptions import PollyError
from polly_htmx.llm import Finished, LLMConnect, Text
from polly_htmx.llm.exceptions import Interrupted
from polly_htmx.models import Message
from polly_htmx.signals import reply_started

logger = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 1.0
"""How often the text so far and the lease go to the database. Never once a token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a reply came to its end."""

    status: Message.Status
    error: str = ""
    finish_reason: str = ""


async def arun_reply(reply_id: int) -> None:
    """Run a pending reply to its end. Does nothing if another runner has it."""
    owner = uuid.uuid4()
    claimed = await database_sync_to_async(_claim)(reply_id, owner)
    if claimed is not None:
        await _Run(*claimed, owner).go()


def _claim(reply_id: int, owner: uuid.UUID) -> tuple[Message, Prompt] | None:
    if not Message.objects.claim(reply_id, owner=owner, seconds=conf.REPLY_LEASE):
        return None
    reply = Message.objects.select_related("conversation", "version").get(pk=reply_id)
    conversation = reply.conversation
    reply_started.send(type(conversation), conversation=conversation, message=reply)
    return reply, prompt_for(reply)


class _Run:
    """One reply while it is written."""

    def __init__(self, reply: Message, prompt: Prompt, owner: uuid.UUID) -> None:
        self.reply = reply
        self.prompt = prompt
        self.owner = owner
        self.display = Display(reply)
        self.lost = False

    async def go(self) -> None:
        """Stream, keep the lease meanwhile, and save the end whatever it is."""
        task = asyncio.current_task()
        helpers = [
            asyncio.create_task(self._keep(task)),
            asyncio.create_task(self.display.run()),
        ]
        end = End(status=Message.Status.INTERRUPTED, error=Interrupted.code)
        try:
            end = await self._stream()
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            if not self.lost:
                await to_the_end(database_sync_to_async(self._finish)(end))

    async def _stream(self) -> End:
        try:
            finished = await self._follow_model()
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

    async def _follow_model(self) -> str:
        """Show what the model writes; return the provider's reason for the end."""
        prompt = self.prompt
        # As a Parrot: its parameters may not say where the key is sent.
        invoker = LLMConnect.for_parrot(prompt).invoker(history=prompt.history)
        reason = ""
        async with aclosing(invoker.astream_events(prompt.text)) as events:
            async for event in events:
                if isinstance(event, Text):
                    self.display.add(event.text)
                elif isinstance(event, Finished):
                    reason = event.reply.finish_reason or ""
        return reason

    async def _keep(self, task: asyncio.Task[None] | None) -> None:
        """Renew the lease and save the text; end the task if another took over."""
        saved = ""
        while True:
            await asyncio.sleep(min(CHECKPOINT_SECONDS, conf.REPLY_LEASE / 4))
            text = self.display.text
            changed = None if text == saved else text
            try:
                held = await database_sync_to_async(self._checkpoint)(changed)
            except Exception as exc:  # noqa: BLE001  (each database has its own faults)
                # The next round tries again: an answer outlives a short outage.
                logger.warning(
                    "checkpoint failed reply=%s fault=%s",
                    self.reply.external_id,
                    type(exc).__name__,
                )
                continue
            saved = text
            if not held:
                self.lost = True
                if task is not None:
                    task.cancel()
                return

    def _checkpoint(self, text: str | None) -> bool:
        now = timezone.now()
        until = now + timedelta(seconds=conf.REPLY_LEASE)
        row = Message.objects.held_by(self.reply.pk, self.owner)
        if text is None:
            return bool(row.update(lease_until=until))
        return bool(row.update(lease_until=until, content=text, updated_at=now))

    def _finish(self, end: End) -> None:
        """Save the end, if this runner still owns the reply, and tell of it."""
        reply, now = self.reply, timezone.now()
        reply.content = self.display.text
        reply.status, reply.error = end.status, end.error
        reply.finish_reason, reply.finished_at = end.finish_reason, now
        saved = Message.objects.held_by(reply.pk, self.owner).end(
            now,
            content=reply.content,
            status=reply.status,
            error=reply.error,
            finish_reason=reply.finish_reason,
        )
        if saved:
            announce_end(reply)
