"""The tables: Parrots and their Tricks, conversations and their Messages."""

from __future__ import annotations

from polly_htmx.models.conversations import SmartConversation
from polly_htmx.models.messages import Message
from polly_htmx.models.parrots import Parrot, ParrotVersion, Trick

__all__ = ["Message", "Parrot", "ParrotVersion", "SmartConversation", "Trick"]
