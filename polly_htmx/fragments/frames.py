"""Frames: what a socket sends of turns, of the whole path, and of what went wrong."""

from __future__ import annotations

import uuid

from django.http import HttpRequest

from polly_htmx.chat.waiting import Waiting, waiting_in
from polly_htmx.exceptions import NonceReused, PollyError
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


def acknowledged(
    conversation: SmartConversation, nonce: str | None, *, waits: bool = False
) -> str:
    """Return the frame that tells a page that its message is stored, or waits."""
    context = {"acked": nonce or "", "nonce": new_nonce(), "waits": waits}
    return frame("acknowledged", conversation, **context)


def queue(
    conversation: SmartConversation,
    *,
    waiting: Waiting | None = None,
    reader: Reader = "owner",
) -> str:
    """Return the frame that shows what waits for its turn, read where not given."""
    waiting = waiting_in(conversation) if waiting is None else waiting
    return frame("queue", conversation, waiting=waiting, reader=reader)


def given_back(key: uuid.UUID | str, text: str, nonce: str) -> str:
    """Return the frame that hands a text to the composer of one page."""
    context = {"id": key, "text": text, "nonce": nonce}
    return render("frames/given_back.html", context).strip()


def connected(
    conversation: SmartConversation,
    nonce: str | None,
    request: HttpRequest,
    *,
    listed: str = "",
) -> str:
    """Return what a page without a line gets for its first message: the line too."""
    chat = chat_of(conversation, listed=listed)
    context = {"chat": chat, "acked": nonce or ""}
    return render("frames/connected.html", context, request).strip()


def error(key: uuid.UUID | str, exc: PollyError) -> str:
    """Return the frame that says what was wrong; what was typed stays."""
    # What a form has sent already, it must not be bound to.
    nonce = new_nonce() if isinstance(exc, NonceReused) else ""
    context = {"id": key, "error": exc, "nonce": nonce}
    return render("frames/error.html", context).strip()
