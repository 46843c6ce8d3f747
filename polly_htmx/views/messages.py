"""One message: its source, what there is to know of it, editing, feedback."""

from __future__ import annotations

import uuid

from asgiref.sync import async_to_sync
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from polly_htmx import access, fragments
from polly_htmx.chat import (
    aedit_message,
    give_feedback,
    take_back_feedback,
)
from polly_htmx.chat.about import about as about_message, other_parrots
from polly_htmx.chat.conversations import message_in
from polly_htmx.exceptions import ChatError, NotFound
from polly_htmx.models import Message
from polly_htmx.views.access import person_required
from polly_htmx.views.answers import complaint, way_back
from polly_htmx.views.opening import open_consumer

VERDICTS = {"good": True, "bad": False, "none": None}


def _message(request: HttpRequest, conversation: uuid.UUID, key: uuid.UUID) -> Message:
    found = access.open_conversation(access.who(request), conversation)
    return message_in(found, str(key))


def _is_htmx(request: HttpRequest) -> bool:
    return bool(request.headers.get("HX-Request"))


def _shown(request: HttpRequest, message: Message, panel: str) -> HttpResponse:
    """Return a panel: for htmx as it is, else as a page of its own."""
    if _is_htmx(request):
        return HttpResponse(panel)
    context = {"chat": fragments.chat_of(message.conversation), "panel": panel}
    return render(request, "polly_htmx/message.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@person_required
def source(
    request: HttpRequest, conversation: uuid.UUID, message: uuid.UUID
) -> HttpResponse:
    """
    Return a message as it was written, in Markdown.

    On POST too: without a script the button beside it sends the form of all buttons.
    """
    found = _message(request, conversation, message)
    response = HttpResponse(found.content, content_type="text/plain; charset=utf-8")
    # Whatever the text looks like, it is no page of this site.
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
@person_required
def about(
    request: HttpRequest, conversation: uuid.UUID, message: uuid.UUID
) -> HttpResponse:
    """Tell who wrote an answer and what it took, and offer other Parrots."""
    found = _message(request, conversation, message)
    if found.party != Message.Party.ASSISTANT:
        raise NotFound
    told, parrots = about_message(found), other_parrots(found)
    return _shown(request, found, fragments.about(found, told, parrots, request))


@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@person_required
def edit(
    request: HttpRequest, conversation: uuid.UUID, message: uuid.UUID
) -> HttpResponse:
    """Return the form that edits a message; on POST with a text, take the turn."""
    found = _message(request, conversation, message)
    access.check_may_edit(access.who(request), found)
    text = request.POST.get("message")
    if text is None:
        return _shown(request, found, fragments.edit_form(found, request))
    try:
        _edit(request, found, text)
    except ChatError as exc:
        if _is_htmx(request):
            return complaint(request, access.who(request), conversation, exc)
        panel = fragments.edit_form(found, request, text=text, error=exc)
        return _shown(request, found, panel)
    if _is_htmx(request):
        return HttpResponse(status=204)  # The line brings what has changed.
    return redirect(way_back(request, found.conversation))


def _edit(request: HttpRequest, message: Message, text: str) -> None:
    """Take the turn through the site's consumer class, which has a say."""

    async def take() -> None:
        key = message.conversation.external_id
        consumer = await open_consumer(request, access.who(request), key)
        consumer.require("edit")
        nonce = request.POST.get("nonce")
        await aedit_message(message, text, who=consumer.who, nonce=nonce)

    async_to_sync(take)()


@require_POST
@person_required
def feedback(
    request: HttpRequest, conversation: uuid.UUID, message: uuid.UUID, verdict: str
) -> HttpResponse:
    """Store thumbs up or down, or take them back."""
    found = _message(request, conversation, message)
    if verdict not in VERDICTS:
        raise NotFound
    good, person = VERDICTS[verdict], access.who(request)
    try:
        if good is None:
            take_back_feedback(found, who=person)
        else:
            give_feedback(found, who=person, good=good)
    except ChatError as exc:
        return complaint(request, person, conversation, exc)
    if not _is_htmx(request):
        return redirect(way_back(request, found.conversation))
    return HttpResponse(fragments.feedback(_message(request, conversation, message)))


@require_http_methods(["GET", "HEAD", "POST"])
@person_required
def comment(
    request: HttpRequest, conversation: uuid.UUID, message: uuid.UUID
) -> HttpResponse:
    """Return the form for a comment on an answer; on POST with a text, store it."""
    found = _message(request, conversation, message)
    text, given = request.POST.get("comment"), found.thumb
    if given is None:
        raise NotFound
    if text is None:
        return _shown(request, found, fragments.comment_form(found, request))
    person = access.who(request)
    try:
        give_feedback(found, who=person, good=given.good, comment=text)
    except ChatError as exc:
        if _is_htmx(request):
            return complaint(request, person, conversation, exc)
        return _shown(request, found, fragments.comment_form(found, request, error=exc))
    if not _is_htmx(request):
        return redirect(way_back(request, found.conversation))
    return HttpResponse(fragments.commented(_message(request, conversation, message)))
