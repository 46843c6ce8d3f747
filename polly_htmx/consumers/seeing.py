"""Seeing: an answer that a page has got is no news in its owner's list any more."""

from __future__ import annotations

import logging

from polly_htmx import access
from polly_htmx.access import Who
from polly_htmx.chat.database import in_database
from polly_htmx.chat.seen import see
from polly_htmx.models import SmartConversation

logger = logging.getLogger(__name__)


class Sight:
    """
    How far the person before one page has seen a conversation.

    What counts is what a page has acknowledged: a line may be dead for a while before
    anybody knows. The database is asked once for each end of an answer.
    """

    def __init__(self, state: str) -> None:
        self._seen = state

    async def reach(
        self, conversation: SmartConversation, who: Who, state: str
    ) -> None:
        """Take note that the page shows all that this mark tells of; raises nothing."""
        is_known = state == self._seen and not conversation.has_new_answer
        if is_known or not access.owns(who, conversation):
            return
        try:
            await in_database(see)(conversation, who=who)
        except Exception as exc:  # noqa: BLE001  (each database has its own faults)
            # A mark is no reason to lose a line; the next acknowledgement tries again.
            logger.warning(
                "answer not marked as seen conversation=%s fault=%s",
                conversation.external_id,
                type(exc).__name__,
            )
        else:
            self._seen = state
