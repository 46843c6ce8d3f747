"""The buttons beside messages, without a socket: stop, regenerate, switch, ..."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from polly_htmx import access
from polly_htmx.chat import (
    acontinue_reply,
    aregenerate,
    astop_reply,
    aswitch_version,
)
from polly_htmx.chat.about import parrot_for
from polly_htmx.chat.conversations import message_in
from polly_htmx.exceptions import ChatError
from polly_htmx.views.access import person_required
from polly_htmx.views.answers import complaint, way_back
from polly_htmx.views.opening import open_consumer

UseCase = Callable[..., Awaitable[Any]]


def _button(action: str, use_case: UseCase, doc: str) -> Callable[..., HttpResponse]:
    """Return the view of a button that does something with one reply."""

    @transaction.non_atomic_requests
    @require_POST
    @person_required
    def view(
        request: HttpRequest, conversation: uuid.UUID, reply: uuid.UUID
    ) -> HttpResponse:
        person = access.who(request)
        try:
            consumer = async_to_sync(open_consumer)(request, person, conversation)
            consumer.require(action)
            async_to_sync(_act)(consumer, reply, use_case, request)
        except ChatError as exc:
            return complaint(request, person, conversation, exc)
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204)  # The line brings what has changed.
        return redirect(way_back(request, consumer.conversation))

    view.__doc__ = doc
    return view


async def _act(
    consumer: Any, reply: uuid.UUID, use_case: UseCase, request: HttpRequest
) -> None:
    conversation = consumer.conversation
    found = await sync_to_async(message_in)(conversation, str(reply))
    key = request.POST.get("parrot", "")
    options: dict[str, Any] = {}
    if key and use_case is aregenerate:
        options["parrot"] = await sync_to_async(parrot_for)(conversation, key)
    await use_case(found, who=consumer.who, **options)


stop = _button("stop", astop_reply, "Stop a reply that is still being written.")
regenerate = _button("regenerate", aregenerate, "Have a question answered once more.")
switch = _button("switch", aswitch_version, "Show another version of a message.")
go_on = _button(
    "continue", acontinue_reply, "Have a reply continued that ended too soon."
)
