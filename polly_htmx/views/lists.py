"""The list of a person's chats in its other forms: the archive, and what was found."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from polly_htmx import access, fragments
from polly_htmx.chat.listing import listing
from polly_htmx.chat.search import search as search_chats
from polly_htmx.chat.shelf import can_restore, forget_deleted
from polly_htmx.exceptions import NotFound
from polly_htmx.models import SmartConversation
from polly_htmx.views.access import person_required

MAX_QUERY = 200
MAX_PAGE = 64


@require_safe
@person_required
def archived(request: HttpRequest) -> HttpResponse:
    """Show the chats that a person has put out of the way."""
    page = fragments.new_nonce() if access.who(request) else ""
    chats = list_for(request, archived=True, page=page)
    if is_swap(request):
        return HttpResponse(fragments.list_items(chats))
    return render(request, "polly_htmx/archived.html", {"list": chats})


@require_safe
@person_required
def search(request: HttpRequest) -> HttpResponse:
    """Show the chats that have some words; without a word the list itself."""
    query = request.GET.get("q", "")[:MAX_QUERY]
    found = search_chats(query, who=access.who(request)) if query.strip() else None
    chats = list_for(request, query=query, found=found)
    if is_swap(request):
        return HttpResponse(fragments.list_whole(chats))
    return render(request, "polly_htmx/found.html", {"list": chats})


def is_swap(request: HttpRequest) -> bool:
    """Tell whether htmx asks, and takes a piece of a page."""
    return "HX-Request" in request.headers


def list_for(
    request: HttpRequest, *, archived: bool = False, **fields: Any
) -> fragments.ChatList:
    """Return the list as the asking page has it, which its forms and links tell."""
    asked: QueryDict = request.POST if request.method == "POST" else request.GET
    who = access.who(request)
    if fields.get("found") is None:
        before = request.GET.get("before", "")
        fields["listing"] = listing(who, before=before, archived=archived)
    return fragments.ChatList(
        place=_place("archive" if archived else asked.get("place", "")),
        current=_current(who, asked.get("current", "")),
        **fields,
    )


def undo_for(request: HttpRequest) -> SmartConversation | None:
    """Return the chat that this person has just deleted, and may take back."""
    who = access.who(request)
    forget_deleted(who)
    try:
        deleted = access.deleted_conversation(who, request.GET.get("deleted", ""))
    except NotFound:
        return None
    return deleted if can_restore(deleted) else None


def _place(wanted: str) -> fragments.Place:
    places: dict[str, fragments.Place] = {"side": "side", "archive": "archive"}
    return places.get(wanted, "page")


def _current(who: access.Who, key: str) -> SmartConversation | None:
    """Return the chat beside which the list stands, if it is this person's own."""
    try:
        return access.open_conversation(who, uuid.UUID(key))
    except (NotFound, ValueError):
        return None
