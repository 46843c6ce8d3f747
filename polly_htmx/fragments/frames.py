"""Frames: what a socket sends of turns, of the whole path, and of what went wrong."""

from __future__ import annotations

import uuid

from django.http import HttpRequest

from polly_htmx.exceptions import PollyError
from polly_htmx.fragments.chats import chat_of, new_nonce
from polly_htmx.fragments.rendering import Reader, frame, render
from polly_htmx.models import Message, SmartConversation


def turn(
    conversation: SmartConversation,
    messages: list[Message],
    *,
    reader: Reader = "owner",
) -> str:
    """Return the frame that adds a turn's messages to the log."""
    return frame("turn", conversation, messages=messages, reader=reader)


def snapshot(
    conversation: SmartConversation,
    messages: list[Message],
    *,
    reader: Reader = "owner",
) -> str:
    """Return the frame that shows the newest messages afresh."""
    return frame("snapshot", conversation, messages=messages, reader=reader)


def acknowledged(conversation: SmartConversation, nonce: str | None) -> str:
    """Return the frame that tells a page that its message is stored."""
    return frame("acknowledged", conversation, acked=nonce or "", nonce=new_nonce())


def connected(
    conversation: SmartConversation, nonce: str | None, request: HttpRequest
) -> str:
    """Return what a page without a line gets for its first message: the line too."""
    context = {"chat": chat_of(conversation), "acked": nonce or ""}
    return render("frames/connected.html", context, request).strip()


def error(key: uuid.UUID | str, exc: PollyError) -> str:
    """Return the frame that says what was wrong; what was typed stays."""
    return render("frames/error.html", {"id": key, "error": exc}).strip()
