"""The way in for messages without a socket: plain forms, and a chat's first message."""

from __future__ import annotations

import uuid

from asgiref.sync import async_to_sync
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from polly_htmx import access, fragments
from polly_htmx.access import Who
from polly_htmx.chat.slots import conversation_for, forget_unused, unsign
from polly_htmx.exceptions import ChatError, PageExpired
from polly_htmx.models import SmartConversation
from polly_htmx.views.access import person_required
from polly_htmx.views.answers import complaint, way_back
from polly_htmx.views.opening import open_consumer


@transaction.non_atomic_requests
@require_POST
@person_required
def send(request: HttpRequest, conversation: uuid.UUID) -> HttpResponse:
    """
    Take a message: htmx gets a frame like the socket's, a browser is sent back.

    With a page's token the first message makes the conversation. No transaction may
    be open here: the async hooks hand the connection back between their calls.
    """
    person = access.make_visitor(request)
    token = request.POST.get("token", "")
    found = None
    try:
        found = _conversation(person, conversation, token)
        _send(request, person, found)
    except ChatError as exc:
        if found is not None and token:
            forget_unused(found)
        return complaint(request, person, conversation, exc)
    if request.headers.get("HX-Request"):
        found.refresh_from_db()
        nonce = request.POST.get("nonce")
        return HttpResponse(fragments.connected(found, nonce, request))
    return redirect(way_back(request, found))


def _conversation(person: Who, key: uuid.UUID, token: str) -> SmartConversation:
    if not token:
        return access.open_conversation(person, key)
    slot = unsign(token)
    if slot.conversation != key:
        raise PageExpired
    return conversation_for(slot, who=person)


def _send(request: HttpRequest, person: Who, found: SmartConversation) -> None:
    """Send through the site's consumer class, whose hooks count here too."""
    # A starter's button has a name of its own beside the composer, which is empty.
    text = request.POST.get("message") or request.POST.get("starter", "")

    async def take() -> None:
        consumer = await open_consumer(request, person, found.external_id)
        consumer.require("send")
        await consumer.send_message(text, request.POST.get("nonce"))

    async_to_sync(take)()
