"""Querysets: whose rows, in which order, and the path through a conversation."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connections, models, transaction
from django.db.models import OuterRef, Q, Subquery
from django.db.models.expressions import RawSQL
from django.db.models.functions import Left
from django.utils import timezone

from polly_htmx.statements import Plus, Rows, RowsQuerySet

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    from polly_htmx.models import (  # noqa: F401  (for the generics in quotes)
        Message,
        Parrot,
        SmartConversation,
    )

OPENING_CHARS = 80
"""How much of the first message stands for a title that is missing."""


class ParrotQuerySet(models.QuerySet["Parrot"]):
    """Parrots."""

    def active(self) -> ParrotQuerySet:
        """Leave out those that have retired."""
        return self.filter(retired_at=None)


class SmartConversationQuerySet(RowsQuerySet["SmartConversation"]):
    """Conversations."""

    def alive(self) -> SmartConversationQuerySet:
        """Leave out those that their owners have deleted."""
        return self.filter(deleted_at=None)

    def owned_by(
        self, user: AbstractBaseUser | AnonymousUser | None
    ) -> SmartConversationQuerySet:
        """Return those of a signed-in user; none for anybody else."""
        if user is None or not user.is_authenticated:
            return self.none()
        return self.filter(user_id=user.pk)

    def visited_by(self, visitor: uuid.UUID | None) -> SmartConversationQuerySet:
        """Return those of one anonymous visitor; none without a visitor."""
        return self.none() if visitor is None else self.filter(visitor=visitor)

    def newest_first(self) -> SmartConversationQuerySet:
        """Sort by last activity, total even within one clock tick."""
        return self.order_by("-updated_at", "-pk")

    def with_opening(self) -> SmartConversationQuerySet:
        """Add ``opening``: the first words, which stand in for a missing title."""
        messages: Any = self.model._meta.get_field("current").related_model
        first = messages.objects.filter(conversation=OuterRef("pk"), parent=None)
        words = first.order_by("sequence").values(words=Left("content", OPENING_CHARS))[
            :1
        ]
        return self.annotate(opening=Subquery(words))

    def take_numbers(self, conversation_id: int, count: int) -> int:
        """
        Reserve ``count`` sequence numbers and return the first of them.

        The counter is raised first and read afterwards: the UPDATE takes the
        row's lock (on SQLite the database's), so two turns never share a number.
        Must run inside a transaction.
        """
        self.raise_counter(conversation_id, count)
        row = self.filter(pk=conversation_id)
        return row.values_list("last_sequence", flat=True).get() - count + 1

    def raise_counter(self, conversation_id: int, count: int, **columns: Any) -> bool:
        """Take the first half of take_numbers(); tell if there is such a row, with
        these columns."""
        row = self.where(id=conversation_id, **columns)
        return bool(row.update(last_sequence=Plus(count)))

    def point_at(self, conversation_id: int, leaf_id: int) -> datetime:
        """Make a message the end of the conversation's current path; return when."""
        now = timezone.now()
        row = self.where(id=conversation_id)
        row.update(current=leaf_id, updated_at=now)
        return now


class MessageQuerySet(RowsQuerySet["Message"]):
    """Messages."""

    def running(self) -> MessageQuerySet:
        """Return the replies that are not at their end."""
        return self.filter(self.model.running_condition())

    def expired(self, now: datetime) -> MessageQuerySet:
        """Return the replies whose runner has not been heard of in time."""
        return self.filter(status=self.model.Status.STREAMING, lease_until__lt=now)

    def unclaimed(self, *, before: datetime) -> MessageQuerySet:
        """Return the replies that no runner has taken since ``before``."""
        # Not by created_at: one that is continued waits anew.
        return self.filter(
            status=self.model.Status.PENDING, lease_owner=None, updated_at__lt=before
        )

    def claim(self, pk: int, *, owner: uuid.UUID, seconds: float) -> dict[str, Any]:
        """Take a pending reply for one runner; return what has changed in its row,
        nothing if it was not free any more."""
        now = timezone.now()
        changes = {
            "status": self.model.Status.STREAMING,
            "lease_owner": owner,
            "lease_until": now + timedelta(seconds=seconds),
            "started_at": now,
        }
        free = self.where(id=pk, status=self.model.Status.PENDING)
        return changes if free.update(**changes) else {}

    def release(self, pk: int, owner: uuid.UUID) -> None:
        """Let a reply that this runner has claimed, and not begun, wait for another."""
        self.held_by(pk, owner).update(
            status=self.model.Status.PENDING, lease_owner=None, lease_until=None
        )

    def held_by(self, pk: int, owner: uuid.UUID) -> Rows[Message]:
        """Return the reply if this runner still owns it, else nothing."""
        streaming = self.model.Status.STREAMING
        return self.where(id=pk, lease_owner=owner, status=streaming)

    def reopen(self, pk: int) -> bool:
        """Let a reply that has ended wait for a runner again; its text stays."""
        now = timezone.now()
        ended = self.filter(pk=pk).exclude(self.model.running_condition())
        return bool(
            ended.update(
                status=self.model.Status.PENDING,
                error="",
                finish_reason="",
                # Not NULL: limits count from here on, and a runner sets it again.
                started_at=now,
                finished_at=None,
                stop_requested=False,
                updated_at=now,
                **dict.fromkeys(self.model.RESERVED),
            )
        )

    def path_to(self, leaf_id: int | None, *, limit: int) -> list[Message]:
        """
        Return the last ``limit`` messages of the path that ends at a leaf.

        A conversation is a tree; a path is a leaf with its ancestors. One query
        walks it up by primary key, so the cost follows the limit, not the length.
        """
        if leaf_id is None:
            return []
        ids = self._ancestors(leaf_id, limit)
        found = self.filter(pk__in=ids).for_page()
        return sorted(found, key=lambda message: message.sequence)

    def for_page(self) -> MessageQuerySet:
        """Read with each message what a page shows of it."""
        return self.select_related("version__parrot", "author", "feedback")

    def siblings_of(self, messages: Iterable[Message]) -> MessageQuerySet:
        """Return the messages, of one conversation, with all that share a parent."""
        family = Q()
        parents = []
        for message in messages:
            if message.parent_id is None:
                family = Q(conversation_id=message.conversation_id, parent=None)
            else:
                parents.append(message.parent_id)
        return self.filter(family | Q(parent_id__in=parents)).order_by("sequence")

    def newest_below(self, pk: int) -> int:
        """
        Return the key of the newest message below one; its own if there is none.

        It is a leaf: whatever hangs below a message has a greater number.
        """
        connection = connections[self.db]
        table = connection.ops.quote_name(self.model._meta.db_table)
        # Only the table's own name is put into the text, the value is bound.
        sql = f"""
            WITH RECURSIVE below(id, sequence) AS (
                SELECT id, sequence FROM {table} WHERE id = %s
                UNION ALL
                SELECT m.id, m.sequence
                FROM {table} m JOIN below ON m.parent_id = below.id
            )
            SELECT id FROM below ORDER BY sequence DESC LIMIT 1
        """  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(sql, [pk])
            return int(cursor.fetchone()[0])

    def said_before(
        self, leaf_id: int | None, *, limit: int
    ) -> list[tuple[str, str, int | None]]:
        """Return who said what on such a path: party, content, and the parent's key."""
        if leaf_id is None:
            return []
        found = self.filter(pk__in=self._ancestors(leaf_id, limit))
        return list(
            found.order_by("sequence").values_list("party", "content", "parent_id")
        )

    def count_before(self, leaf_id: int, *, limit: int) -> int:
        """
        Return how many messages with a text are on such a path.

        Only the nearest ``limit`` are walked over. If there are more, the rest is
        counted by their number, which counts other branches too.
        """
        found = self.filter(pk__in=self._ancestors(leaf_id, limit))
        walked = found.aggregate(
            all=models.Count("pk"),
            said=models.Count("pk", filter=~models.Q(content="")),
            first=models.Min("sequence"),
        )
        rest = walked["first"] - 1 if walked["all"] == limit else 0
        return int(walked["said"] + rest)

    def _ancestors(self, leaf_id: int, limit: int) -> RawSQL:
        """Return a subquery of a leaf's key and those of its ancestors."""
        connection = connections[self.db]
        table = connection.ops.quote_name(self.model._meta.db_table)
        # Only the table's own name is put into the text, the values are bound.
        sql = f"""
            WITH RECURSIVE path(id, parent_id, depth) AS (
                SELECT id, parent_id, 1 FROM {table} WHERE id = %s
                UNION ALL
                SELECT up.id, up.parent_id, path.depth + 1
                FROM {table} up JOIN path ON up.id = path.parent_id
                WHERE path.depth < %s
            )
            SELECT id FROM path
        """  # noqa: S608
        return RawSQL(sql, [leaf_id, limit])  # noqa: S611  (see above)

    def bulk_create(
        self, objs: Iterable[Message], *args: Any, **kwargs: Any
    ) -> list[Message]:
        """Insert many, giving a place to those that have none, in their order."""
        messages = list(objs)
        places: dict[int, list[Message]] = {}
        for message in messages:
            number: int | None = message.sequence
            if number is None:
                places.setdefault(message.conversation_id, []).append(message)
        with transaction.atomic(using=self.db):
            for conversation_id, lot in places.items():
                self._number(conversation_id, lot)
            created = super().bulk_create(messages, *args, **kwargs)
            for conversation_id, lot in places.items():
                self._hang(conversation_id, lot)
        return created

    def _number(self, conversation_id: int, lot: Sequence[Message]) -> None:
        conversations = self._conversations()
        first = conversations.take_numbers(conversation_id, len(lot))
        for number, message in enumerate(lot, first):
            message.sequence = number

    def _hang(self, conversation_id: int, lot: Sequence[Message]) -> None:
        """Hang the new messages below each other and below the current leaf."""
        conversations = self._conversations()
        leaf = conversations.values_list("current_id", flat=True)
        parent = leaf.get(pk=conversation_id)
        for message in lot:
            message.parent_id, parent = message.parent_id or parent, message.pk
        super().bulk_update(lot, ["parent"], batch_size=200)
        conversations.point_at(conversation_id, lot[-1].pk)

    def _conversations(self) -> SmartConversationQuerySet:
        field = self.model._meta.get_field("conversation")
        related: Any = field.related_model
        conversations: SmartConversationQuerySet = related.objects.using(self.db)
        return conversations
