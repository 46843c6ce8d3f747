"""Standing: all that decides whether a reply may begin, found in one query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from django.db import connections, router
from django.utils import timezone

from polly_htmx.conf import conf
from polly_htmx.models import Message, SmartConversation

MINUTE = timedelta(minutes=1)

# Written by hand: Django takes some 5 ms to put these counts together, and the database
# a tenth of one to answer them. Only names and words of our own are put into the text,
# the words so that the indices of running replies serve; all values are bound.
SQL = """
    SELECT last_sequence, current_id, answered_by,
        (SELECT id FROM {message} m WHERE m.conversation_id = c.id AND m.nonce = %s),
        (SELECT COUNT(*) FROM {message} m
            WHERE m.conversation_id = c.id AND {running}),
        (SELECT COUNT(*) FROM {message} m
            JOIN {conversation} own ON own.id = m.conversation_id
            WHERE own.{owner} = %s AND own.updated_at >= %s
            AND (m.created_at >= %s OR m.started_at >= %s)),
        (SELECT COUNT(*) FROM {message} m
            JOIN {conversation} own ON own.id = m.conversation_id
            WHERE own.{owner} = %s AND {running}),
        queued
    FROM {conversation} c WHERE c.id = %s
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a conversation and its owner stand, while the caller holds their locks."""

    last_sequence: int
    leaf_id: int | None
    answered_by: str
    before_id: int | None
    """The message that the given nonce has made before, if it has."""
    running: int
    """How many replies run in this conversation, dead ones too: one at the most."""
    lately: int
    """How many messages of the owner are of the last minute: at least as many as
    count for the limit, and most often more."""
    owners_running: int
    queued: int
    """How many messages wait for their turn."""

    @property
    def is_near_limits(self) -> bool:
        """Whether what counts for limits must be looked at closely."""
        return (
            self.lately >= conf.MESSAGES_PER_MINUTE
            or self.owners_running >= conf.MAX_RUNNING_REPLIES
        )


def standing_of(conversation: SmartConversation, nonce: str | None) -> Standing:
    """Return how a conversation stands; raises DoesNotExist for one that is gone."""
    connection = connections[router.db_for_write(SmartConversation)]
    field = "visitor" if conversation.user_id is None else "user"
    key = conversation.visitor if field == "visitor" else conversation.user_id
    owner = _bound(field, key, connection)
    since = _bound("updated_at", timezone.now() - MINUTE, connection)
    values = [nonce, owner, since, since, since, owner, conversation.pk]
    with connection.cursor() as cursor:
        cursor.execute(_sql(connection.alias, field), values)
        row = cursor.fetchone()
    if row is None:
        raise SmartConversation.DoesNotExist
    return Standing(*row)


def _bound(field: str, value: Any, connection: Any) -> Any:
    """Return a value as this database takes it for one of a conversation's fields."""
    return _field(field).get_db_prep_value(value, connection)


def _field(name: str) -> Any:
    return SmartConversation._meta.get_field(name)


@cache
def _sql(alias: str, owner: str) -> str:
    name = connections[alias].ops.quote_name
    statuses = ", ".join(f"'{status}'" for status in Message.RUNNING)
    party = Message.Party.ASSISTANT
    return SQL.format(
        message=name(Message._meta.db_table),
        conversation=name(SmartConversation._meta.db_table),
        owner=name(_field(owner).column),
        running=f"m.party = '{party}' AND m.status IN ({statuses})",
    )
