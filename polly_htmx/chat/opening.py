"""Opening: the conversations of many people at once, for sockets that are asked again."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable

from polly_htmx import access
from polly_htmx.access import Who
from polly_htmx.exceptions import AccessDenied, NotFound
from polly_htmx.models import SmartConversation

Asked = tuple[Who, str]
"""Somebody, and the public id of a conversation."""
Opened = SmartConversation | AccessDenied
"""A conversation, or why it is not opened."""


def open_conversations(asked: Iterable[Asked]) -> list[Opened]:
    """
    Open each as access.open_conversation() does, with one query for all.

    What that would raise is returned in its place.
    """
    wanted = [(person, _key(external_id)) for person, external_id in asked]
    alive = SmartConversation.objects.alive().select_related("parrot")
    keys = {key for _person, key in wanted if key is not None}
    found = alive.in_bulk(keys, field_name="external_id")
    return [_or_denied(_opened, person, found.get(key)) for person, key in wanted]


def open_all_as_staff(asked: Iterable[Asked]) -> list[Opened]:
    """See open_conversations(); for access.open_as_staff()."""
    return [_or_denied(access.open_as_staff, *each) for each in asked]


def _opened(person: Who, found: SmartConversation | None) -> SmartConversation:
    access.require_person(person)
    if found is None:
        raise NotFound
    access.require_own(person, found)
    return found


def _or_denied(ask: Callable[..., SmartConversation], *args: object) -> Opened:
    try:
        return ask(*args)
    except AccessDenied as exc:
        return exc


def _key(external_id: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(external_id)
    except ValueError:
        return None
