"""Rendering: the one call that turns a template into HTML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from polly_htmx.fragments.chats import bare
from polly_htmx.models import SmartConversation

Reader = Literal["owner", "staff"]
"""Whose eyes a fragment is for: to the owner, the owner's messages are "You", and the
owner may stop, continue and ask again."""


def render(
    name: str, context: Mapping[str, Any], request: HttpRequest | None = None
) -> SafeString:
    """Return one of our templates as HTML; for the owner, unless it says otherwise."""
    context = {"reader": "owner", **context}
    return render_to_string(f"polly_htmx/{name}", context, request)


def frame(name: str, conversation: SmartConversation, **context: Any) -> str:
    """Return a frame for the pages that show a conversation."""
    context = {"chat": bare(conversation), **context}
    return render(f"frames/{name}.html", context).strip()
