"""The use cases of a chat: start a conversation, take a turn, run its reply."""

from __future__ import annotations

from polly_htmx.chat.conversations import start_conversation
from polly_htmx.chat.dispatch import run_reply
from polly_htmx.chat.turns import Turn, atake_turn, take_turn

__all__ = ["Turn", "atake_turn", "run_reply", "start_conversation", "take_turn"]
