"""The pages: a list of chats, a chat, and the way in for plain forms."""

from __future__ import annotations

from polly_htmx.views.composer import draft, go, unqueue
from polly_htmx.views.conversations import (
    afresh,
    conversation,
    conversations,
    earlier,
)
from polly_htmx.views.health import health
from polly_htmx.views.lists import archived, search
from polly_htmx.views.messages import about, comment, edit, feedback, source
from polly_htmx.views.replies import go_on, regenerate, stop, switch
from polly_htmx.views.send import send
from polly_htmx.views.shelf import archive, delete, pin, rename, restore

__all__ = [
    "about",
    "afresh",
    "archive",
    "archived",
    "comment",
    "conversation",
    "conversations",
    "delete",
    "draft",
    "earlier",
    "edit",
    "feedback",
    "go",
    "go_on",
    "health",
    "pin",
    "regenerate",
    "rename",
    "restore",
    "search",
    "send",
    "source",
    "stop",
    "switch",
    "unqueue",
]
