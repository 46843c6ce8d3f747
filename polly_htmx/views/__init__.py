"""The pages: a list of chats, a chat, and the way in for plain forms."""

from __future__ import annotations

from polly_htmx.views.conversations import conversation, conversations, earlier
from polly_htmx.views.health import health
from polly_htmx.views.replies import go_on, regenerate, stop
from polly_htmx.views.send import send

__all__ = [
    "conversation",
    "conversations",
    "earlier",
    "go_on",
    "health",
    "regenerate",
    "send",
    "stop",
]
