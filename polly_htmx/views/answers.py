"""What the plain forms of a chat get for an answer: the way back, or what was wrong."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from polly_htmx import access, fragments
from polly_htmx.access import Who
from polly_htmx.chat.conversations import active_parrots
from polly_htmx.chat.listing import listing
from polly_htmx.chat.seen import see
from polly_htmx.exceptions import AccessDenied, ChatError
from polly_htmx.models import SmartConversation


def complaint(
    request: HttpRequest, person: Who, key: uuid.UUID, exc: ChatError
) -> HttpResponse:
    """Say what was wrong; what was typed stays in the composer."""
    if request.headers.get("HX-Request"):
        # Whatever asked stays as it is.
        return HttpResponse(fragments.error(key, exc), headers={"HX-Reswap": "none"})
    draft = request.POST.get("message", "")
    try:
        found = access.open_conversation(person, key)
    except AccessDenied:
        # A chat that was to begin with this message: its page shows no error.
        context = {"error": exc, "draft": draft}
        return render(request, "polly_htmx/refused.html", context, status=400)
    return chat_page(request, found, status=400, error=exc, draft=draft)


def chat_page(
    request: HttpRequest, found: SmartConversation, *, status: int = 200, **fields: Any
) -> HttpResponse:
    """Return the page of a chat, with its owner's list beside it."""
    person, page = access.who(request), fragments.new_nonce()
    if found.has_new_answer:
        # Before the messages are read: one that ends in between is shown, or is news.
        see(found, who=person)
    chat = fragments.chat_for(person, found, title="", listed=page, **fields)
    beside = fragments.ChatList(
        place="side",
        page=page,
        current=found,
        listing=listing(person),
        parrots=active_parrots(),
    )
    context = {"chat": chat, "panel": fragments.chat(chat, request), "list": beside}
    return render(request, "polly_htmx/conversation.html", context, status=status)


def way_back(request: HttpRequest, found: SmartConversation) -> str:
    """Return the page that the form stood on, if it is one of this site."""
    page = request.headers.get("Referer", "")
    hosts = {request.get_host()}
    if found.slot and url_has_allowed_host_and_scheme(page, allowed_hosts=hosts):
        return page
    return found.get_absolute_url()
