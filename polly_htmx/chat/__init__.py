"""The use cases of a chat: start a conversation, take a turn, run its reply."""

from __future__ import annotations

from polly_htmx.chat.conversations import start_conversation
from polly_htmx.chat.dispatch import run_reply
from polly_htmx.chat.feedback import give_feedback, take_back_feedback
from polly_htmx.chat.replies import (
    acontinue_reply,
    aregenerate,
    astop_reply,
    continue_reply,
    regenerate,
    stop_reply,
)
from polly_htmx.chat.sending import asend_message, send_message
from polly_htmx.chat.storing import Turn
from polly_htmx.chat.switching import aswitch_version, switch_version
from polly_htmx.chat.turns import aedit_message, atake_turn, edit_message, take_turn

__all__ = [
    "Turn",
    "acontinue_reply",
    "aedit_message",
    "aregenerate",
    "asend_message",
    "astop_reply",
    "aswitch_version",
    "atake_turn",
    "continue_reply",
    "edit_message",
    "give_feedback",
    "regenerate",
    "run_reply",
    "send_message",
    "start_conversation",
    "stop_reply",
    "switch_version",
    "take_back_feedback",
    "take_turn",
]
