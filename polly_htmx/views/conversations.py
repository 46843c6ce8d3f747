"""The list of a person's chats, one chat, and its earlier messages."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from polly_htmx import access, fragments
from polly_htmx.chat import start_conversation
from polly_htmx.chat.conversations import page_before
from polly_htmx.chat.leases import interrupt_expired
from polly_htmx.chat.queue import move_on
from polly_htmx.exceptions import ParrotRetired
from polly_htmx.forms import StartForm
from polly_htmx.views.access import person_required
from polly_htmx.views.answers import chat_page
from polly_htmx.views.lists import MAX_PAGE, is_swap, list_for, undo_for


@require_http_methods(["GET", "HEAD", "POST"])
@person_required
def conversations(request: HttpRequest) -> HttpResponse:
    """Show a person's chats; on POST start a new one."""
    form = StartForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            started = start_conversation(
                form.cleaned_data["parrot"], who=access.make_visitor(request)
            )
        except ParrotRetired as exc:
            form.add_error("parrot", str(exc.user_message))
        else:
            return redirect(started)
    if is_swap(request):
        return HttpResponse(fragments.list_items(list_for(request)))
    page = fragments.new_nonce() if access.who(request) else ""
    chats = list_for(request, page=page)
    context = {"form": form, "list": chats, "undo": undo_for(request)}
    return render(request, "polly_htmx/conversations.html", context)


@require_GET
@person_required
def conversation(request: HttpRequest, conversation: uuid.UUID) -> HttpResponse:
    """Show one chat with its newest messages."""
    person = access.who(request)
    found = access.open_conversation(person, conversation)
    interrupt_expired(found)
    if found.queued:
        move_on(found)
        found.refresh_from_db()
    return chat_page(request, found)


@require_GET
@person_required
def afresh(request: HttpRequest, conversation: uuid.UUID) -> HttpResponse:
    """Return a chat's newest messages and a line for a page that shows others."""
    found = access.open_conversation(access.who(request), conversation)
    listed = request.GET.get("page", "")[:MAX_PAGE]
    return HttpResponse(fragments.connected(found, None, request, listed=listed))


@require_GET
@person_required
def earlier(
    request: HttpRequest, conversation: uuid.UUID, sequence: int
) -> HttpResponse:
    """Return the messages before one; for htmx a fragment, else a page of its own."""
    found = access.open_conversation(access.who(request), conversation)
    page = page_before(found, sequence)
    if request.headers.get("HX-Request"):
        read_only = "read" in request.GET  # Of a transcript, that is.
        return HttpResponse(fragments.earlier(found, page, read_only=read_only))
    context = {
        "chat": fragments.chat_of(found),
        "panel": fragments.transcript(found, page),
    }
    return render(request, "polly_htmx/conversation.html", context)
