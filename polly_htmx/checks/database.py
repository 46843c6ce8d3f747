"""Check of the rows: Parrots whose model is not known any more."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Tags, Warning as CheckWarning, register
from django.db import DatabaseError, router

from polly_htmx.checks.models import names
from polly_htmx.models import Parrot

SHOWN = 5
"""Names in a message at the most."""


@register(Tags.database)
def check_parrots(**kwargs: Any) -> list[CheckMessage]:
    """Look for Parrots that can't answer; only where the database may be asked."""
    alias = router.db_for_read(Parrot)
    if alias not in (kwargs.get("databases") or ()):
        return []
    parrots = Parrot.objects.using(alias).active().exclude(model__in=names())
    try:
        lost = list(
            parrots.order_by("model").values_list("model", flat=True).distinct()
        )
    except DatabaseError:
        return []  # The tables are not made yet, or are about to change.
    if not lost:
        return []
    shown = ", ".join(repr(name) for name in lost[:SHOWN])
    return [
        CheckWarning(
            f"There are Parrots with a model that is not known: {shown}.",
            hint='Add it to POLLY["MODELS"], or choose another model in the admin.',
            id="polly.W030",
        )
    ]
