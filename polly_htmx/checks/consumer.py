"""Check of CONSUMER: the class that serves the sockets."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string

from polly_htmx.checks.apps import TAG
from polly_htmx.checks.keys import given

BASE = "polly_htmx.consumers.base.ConversationConsumer"
"""Imported only where a site names a class: commands need no consumers."""


@register(TAG)
def check_consumer(**_kwargs: Any) -> list[CheckMessage]:
    """Import the class, and see whether it is one of ours."""
    path = given().get("CONSUMER")
    if not isinstance(path, str):
        return []  # Ours, or reported with the types of the keys.
    try:
        found = import_string(path)
    except ImportError as exc:
        return [
            Error(
                f'POLLY["CONSUMER"] = {path!r} can\'t be imported: {exc}.',
                hint="Write the dotted path of your subclass of SmartGPTConsumer.",
                id="polly.E030",
            )
        ]
    if isinstance(found, type) and issubclass(found, import_string(BASE)):
        return []
    return [
        Error(
            f'POLLY["CONSUMER"] = {path!r} is not a SmartGPTConsumer.',
            hint="Derive the class from polly_htmx.consumers.SmartGPTConsumer.",
            id="polly.E031",
        )
    ]
