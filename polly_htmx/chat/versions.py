"""Versions: which of several a page shows."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from polly_htmx.models import Message, Versions


def with_versions(messages: Iterable[Message]) -> list[Message]:
    """
    Return messages of one conversation, each told of its versions.

    One query, however many there are.
    """
    found = list(messages)
    if not found:
        return found
    families: dict[int | None, list[uuid.UUID]] = {}
    siblings = Message.objects.siblings_of(found)
    for parent_id, public_id in siblings.values_list("parent_id", "external_id"):
        families.setdefault(parent_id, []).append(public_id)
    for message in found:
        message.versions = _among(message, families.get(message.parent_id, []))
    return found


def _among(message: Message, ids: list[uuid.UUID]) -> Versions | None:
    # One that was stored a moment ago may not be among them yet.
    if len(ids) < 2 or message.external_id not in ids:  # noqa: PLR2004
        return None
    place = ids.index(message.external_id)
    return Versions(
        number=place + 1,
        count=len(ids),
        first=ids[0],
        previous=ids[place - 1] if place else None,
        next=ids[place + 1] if place + 1 < len(ids) else None,
    )
