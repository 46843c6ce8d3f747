"""The admin: Parrots with their Tricks, and what people wrote, to be read only."""

from __future__ import annotations

from polly_htmx.admin.calls import ModelCallAdmin
from polly_htmx.admin.conversations import SmartConversationAdmin
from polly_htmx.admin.messages import MessageAdmin
from polly_htmx.admin.parrots import ParrotAdmin
from polly_htmx.admin.tricks import TrickAdmin

__all__ = [
    "MessageAdmin",
    "ModelCallAdmin",
    "ParrotAdmin",
    "SmartConversationAdmin",
    "TrickAdmin",
]
