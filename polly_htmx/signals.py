"""Signals: moments of a conversation that a site may listen to."""

from __future__ import annotations

import logging
import traceback
from typing import Any

from django.dispatch import Signal

logger = logging.getLogger(__name__)


def raised_at(exc: BaseException) -> str:
    """Return where a foreign exception was raised, for a log that may hold no text."""
    *_outer, (frame, line) = traceback.walk_tb(exc.__traceback__)
    return f"{frame.f_code.co_filename}:{line}"


class Moment(Signal):
    """
    A signal whose listeners can spoil nothing for each other, nor for the chat.

    It is sent by send_robust(): what it tells of has happened, and is stored.
    """

    def _log_robust_failure(self, receiver: Any, err: Exception) -> None:
        # Only the kind, and not as Django does it: a foreign text may hold anything.
        name = getattr(receiver, "__qualname__", type(receiver).__qualname__)
        logger.error(
            "listener failed listener=%s fault=%s at=%s",
            name,
            type(err).__name__,
            raised_at(err),
        )


# Sent after a turn is committed.
# Arguments: conversation (SmartConversation), message (the user's Message),
# reply (the pending Message, or None where a person of the staff answers).
turn_taken = Moment()

# Sent when a runner has taken a reply, before the model is asked.
# Arguments: conversation (SmartConversation), message (the reply).
reply_started = Moment()

# Sent after a reply's end is saved, whatever the end is: see message.status.
# Arguments: conversation (SmartConversation), message (the reply).
reply_finished = Moment()
