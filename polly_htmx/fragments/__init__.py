"""Fragments: events and chats as HTML; the only place that renders templates."""

from __future__ import annotations

from polly_htmx.fragments.chats import Chat, chat_for, chat_in, chat_of, new_nonce
from polly_htmx.fragments.frames import (
    acknowledged,
    connected,
    error,
    given_back,
    queue,
    snapshot,
    turn,
)
from polly_htmx.fragments.lists import (
    ChatList,
    Did,
    Place,
    list_changed,
    list_did,
    list_form,
    list_gone,
    list_items,
    list_missed,
    list_renamed,
    list_whole,
)
from polly_htmx.fragments.messages import (
    about,
    afresh,
    comment_form,
    commented,
    edit_form,
    feedback,
    feedback_parcels,
)
from polly_htmx.fragments.pages import (
    STYLES,
    assets,
    chat,
    earlier,
    transcript,
)
from polly_htmx.fragments.parcels import (
    closed_parcels,
    ended_parcels,
    grew_parcels,
    snapshot_parcels,
    streaming_parcels,
)
from polly_htmx.fragments.refusals import refused, unavailable
from polly_htmx.fragments.rendering import Reader
from polly_htmx.fragments.replies import (
    reply_closed,
    reply_ended,
    reply_grew,
    reply_streaming,
)
from polly_htmx.fragments.thoughts import Prelude, phase_parcels

__all__ = [
    "STYLES",
    "Chat",
    "ChatList",
    "Did",
    "Place",
    "Prelude",
    "Reader",
    "about",
    "acknowledged",
    "afresh",
    "assets",
    "chat",
    "chat_for",
    "chat_in",
    "chat_of",
    "closed_parcels",
    "comment_form",
    "commented",
    "connected",
    "earlier",
    "edit_form",
    "ended_parcels",
    "error",
    "feedback",
    "feedback_parcels",
    "given_back",
    "grew_parcels",
    "list_changed",
    "list_did",
    "list_form",
    "list_gone",
    "list_items",
    "list_missed",
    "list_renamed",
    "list_whole",
    "new_nonce",
    "phase_parcels",
    "queue",
    "refused",
    "reply_closed",
    "reply_ended",
    "reply_grew",
    "reply_streaming",
    "snapshot",
    "snapshot_parcels",
    "streaming_parcels",
    "transcript",
    "turn",
    "unavailable",
]
