"""The tables: Parrots, Tricks, conversations, Messages, calls to models, sockets."""

from __future__ import annotations

from polly_htmx.models.calls import ModelCall
from polly_htmx.models.conversations import SmartConversation
from polly_htmx.models.feedback import Feedback
from polly_htmx.models.messages import Message
from polly_htmx.models.parrots import Parrot, ParrotVersion, Trick
from polly_htmx.models.sockets import SocketCount
from polly_htmx.models.versions import Versions

__all__ = [
    "Feedback",
    "Message",
    "ModelCall",
    "Parrot",
    "ParrotVersion",
    "SmartConversation",
    "SocketCount",
    "Trick",
    "Versions",
]
