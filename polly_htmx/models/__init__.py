"""The tables: Parrots, Tricks, conversations, Messages, calls to models, sockets."""

from __future__ import annotations

from polly_htmx.models.base import short
from polly_htmx.models.calls import ModelCall
from polly_htmx.models.conversations import SmartConversation
from polly_htmx.models.drafts import Draft
from polly_htmx.models.feedback import Feedback
from polly_htmx.models.messages import Message
from polly_htmx.models.parrots import Parrot, ParrotVersion
from polly_htmx.models.queue import QueuedMessage
from polly_htmx.models.sockets import SocketCount
from polly_htmx.models.tricks import Trick
from polly_htmx.models.versions import Versions

__all__ = [
    "Draft",
    "Feedback",
    "Message",
    "ModelCall",
    "Parrot",
    "ParrotVersion",
    "QueuedMessage",
    "SmartConversation",
    "SocketCount",
    "Trick",
    "Versions",
    "short",
]
