"""The keeper: holds a runner's lease, and saves the text so far with it."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Sequence

from polly_htmx.chat.checkpoints import Checkpoint, Outcome, save
from polly_htmx.chat.leases import save_end
from polly_htmx.conf import conf
from polly_htmx.models import Message, ModelCall

logger = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 1.0
"""How often the text so far and the lease go to the database. Never once a token."""


class Keeper:
    """
    One run's claim on its reply.

    The row decides: each write goes through under the condition that this runner
    still owns the reply. A runner that was away for longer than its lease (a machine
    that slept) finds that it has lost, and writes and shows nothing more.
    """

    def __init__(
        self,
        reply: Message,
        owner: uuid.UUID,
        text: Callable[[], str],
        thoughts: Callable[[], str] = str,
    ) -> None:
        self.reply = reply
        self.owner = owner
        self.lost = False
        self._text = text
        self._thoughts = thoughts
        self._saved = reply.content
        self._thought = reply.reasoning
        self._renewed = time.monotonic()

    def holds(self) -> bool:
        """Tell whether the lease can't have run out; asks no database."""
        return not self.lost and time.monotonic() - self._renewed < conf.REPLY_LEASE / 2

    async def run(self, stop: Callable[[], None], give_up: Callable[[], None]) -> None:
        """
        Renew the lease and save the text, until the run is over.

        Calls ``stop`` when a person has asked for the end, ``give_up`` when another
        owns the reply now.
        """
        while True:
            await asyncio.sleep(_until_next(time.time()))
            text, begun = self._text(), time.monotonic()
            thoughts = self._thoughts()
            try:
                outcome = await self._save(text, thoughts)
            except Exception as exc:  # noqa: BLE001  (each database has its own faults)
                # The next round tries again: an answer outlives a short outage.
                logger.warning(
                    "checkpoint failed reply=%s fault=%s",
                    self.reply.external_id,
                    type(exc).__name__,
                )
                continue
            self._saved, self._thought, self._renewed = text, thoughts, begun
            if outcome is Outcome.LOST:
                self.lost = True
                give_up()
                return
            if outcome is Outcome.STOP_WANTED:
                stop()

    async def _save(self, text: str, thoughts: str) -> Outcome:
        return await save(
            Checkpoint(
                reply_id=self.reply.pk,
                owner=self.owner,
                text=None if text == self._saved else text,
                thoughts=None if thoughts == self._thought else thoughts,
            )
        )

    def end(self, calls: Sequence[ModelCall] = ()) -> bool:
        """Save how the reply ended and what it took; tell if it was still ours."""
        row = Message.objects.held_by(self.reply.pk, self.owner)
        return save_end(row, self.reply, content=self.reply.content, calls=calls)


def _until_next(now: float) -> float:
    """Return the seconds to the next checkpoint, the same moment for all runs."""
    interval = min(CHECKPOINT_SECONDS, conf.REPLY_LEASE / 4)
    return interval - now % interval
