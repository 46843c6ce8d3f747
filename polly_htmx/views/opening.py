"""Opening a conversation through the site's consumer, for forms as for sockets."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from django.utils.module_loading import import_string

from polly_htmx.access import Who
from polly_htmx.chat import dispatch
from polly_htmx.conf import conf


async def open_consumer(
    request: HttpRequest, person: Who, conversation: uuid.UUID
) -> Any:
    """Return the site's consumer class, opened: it has a say in who may do what."""
    if isinstance(request, ASGIRequest):
        dispatch.serve()
    consumer = import_string(conf.CONSUMER)()
    await consumer.open_as(person, str(conversation))
    return consumer
