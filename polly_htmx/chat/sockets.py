"""Sockets: how many a person holds open, counted across all processes."""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet, Sum
from django.utils import timezone

from polly_htmx.access import Who
from polly_htmx.conf import conf
from polly_htmx.exceptions import TooManySockets
from polly_htmx.models import SocketCount

SILENT = timedelta(seconds=20)
"""A process that has not renewed its rows for so long is dead: its sockets are gone."""
SWEEP_SECONDS = 60.0
"""How often one process removes the rows of dead ones."""
PERSON_CHARS = 64


class _Process:
    """This process's name in the table; a forked child gets its own."""

    def __init__(self) -> None:
        self.id = uuid.uuid4()
        self.swept = time.monotonic()

    def rename(self) -> None:
        """Take another name."""
        self.id = uuid.uuid4()


_process = _Process()
os.register_at_fork(after_in_child=_process.rename)


def open_socket(who: Who) -> None:
    """
    Count one more socket of a person; raises TooManySockets, and then counts none.

    Not to be called inside a transaction: first the count is raised for all to see,
    and then read. So two processes at the limit may both refuse, and never both let
    one in.
    """
    if not who:
        return
    person = _person(who)
    _raise_count(person)
    fresh = SocketCount.objects.filter(
        person=person, seen_at__gt=timezone.now() - SILENT
    )
    open_now = fresh.aggregate(total=Sum("count"))["total"] or 0
    if open_now > conf.MAX_SOCKETS:
        close_socket(who)
        raise TooManySockets


def close_socket(who: Who) -> None:
    """Count one socket of a person less."""
    if not who:
        return
    row = _own_rows().filter(person=_person(who))
    row.filter(count__gt=0).update(count=F("count") - 1)
    row.filter(count=0).delete()


def renew() -> None:
    """Show that this process lives; to be called every few seconds."""
    _own_rows().update(seen_at=timezone.now())
    if time.monotonic() - _process.swept > SWEEP_SECONDS:
        _process.swept = time.monotonic()
        forget_silent()


def forget_silent() -> int:
    """Remove the rows of processes that died; return how many."""
    silent = SocketCount.objects.filter(seen_at__lt=timezone.now() - SILENT)
    return silent.delete()[0]


def _raise_count(person: str) -> None:
    row = _own_rows().filter(person=person)
    now = timezone.now()
    if row.update(count=F("count") + 1, seen_at=now):
        return
    try:
        with transaction.atomic():
            SocketCount.objects.create(
                process=_process.id, person=person, count=1, seen_at=now
            )
    except IntegrityError:  # Another thread of this process was first.
        row.update(count=F("count") + 1, seen_at=now)


def _own_rows() -> QuerySet[SocketCount]:
    return SocketCount.objects.filter(process=_process.id)


def _person(who: Who) -> str:
    """Return what stands for a person in the table."""
    if who.user is None:
        return f"visitor-{who.visitor}"
    name = f"user-{who.user.pk}"
    if len(name) <= PERSON_CHARS:
        return name
    return hashlib.sha256(name.encode()).hexdigest()
