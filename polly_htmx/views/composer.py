"""The composer without a socket: its draft, and the messages that wait."""

from __future__ import annotations

import uuid
from http import HTTPStatus

from asgiref.sync import async_to_sync
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from polly_htmx import access
from polly_htmx.chat.composing import keep_draft, take_back_into_draft
from polly_htmx.chat.queue import queued_in, release
from polly_htmx.exceptions import ChatError
from polly_htmx.views.access import person_required
from polly_htmx.views.answers import complaint, way_back
from polly_htmx.views.opening import open_consumer


@require_POST
@person_required
def draft(request: HttpRequest, conversation: uuid.UUID) -> HttpResponse:
    """Keep what a person types; nothing in the page changes."""
    person = access.who(request)
    found = access.open_conversation(person, conversation)
    text, nonce = request.POST.get("message", ""), request.POST.get("nonce", "")
    try:
        keep_draft(found, text, who=person, nonce=nonce)
    except ChatError:  # The counter has told why, and sending will.
        return HttpResponse(status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


@transaction.non_atomic_requests
@require_POST
@person_required
def unqueue(
    request: HttpRequest, conversation: uuid.UUID, queued: uuid.UUID
) -> HttpResponse:
    """Take a waiting message back; its text stands before what the composer holds."""
    person = access.who(request)
    try:
        consumer = async_to_sync(open_consumer)(request, person, conversation)
        consumer.require("unqueue")
        found = consumer.conversation
        take_back_into_draft(queued_in(found, str(queued)), who=consumer.who)
    except ChatError as exc:
        return complaint(request, person, conversation, exc)
    return redirect(way_back(request, found))


@transaction.non_atomic_requests
@require_POST
@person_required
def go(
    request: HttpRequest, conversation: uuid.UUID, queued: uuid.UUID
) -> HttpResponse:
    """Let messages go that wait for a person."""
    person = access.who(request)
    try:
        consumer = async_to_sync(open_consumer)(request, person, conversation)
        consumer.require("release")
        release(queued_in(consumer.conversation, str(queued)), who=consumer.who)
    except ChatError as exc:
        return complaint(request, person, conversation, exc)
    return redirect(way_back(request, consumer.conversation))
