"""The tables: Parrots, Tricks, conversations, Messages, calls to models, sockets."""

from __future__ import annotations

from polly_htmx.models.calls import ModelCall
from polly_htmx.models.conversations import SmartConversation
from polly_htmx.models.messages import Message
from polly_htmx.models.parrots import Parrot, ParrotVersion, Trick
from polly_htmx.models.sockets import SocketCount

__all__ = [
    "Message",
    "ModelCall",
    "Parrot",
    "ParrotVersion",
    "SmartConversation",
    "SocketCount",
    "Trick",
]
