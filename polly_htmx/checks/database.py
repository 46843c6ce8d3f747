"""Check of the rows: Parrots whose models are not known any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    parrots = Parrot.objects.using(alias).active()
    try:
        named = [*parrots.values_list("model", "fallbacks")]
    except DatabaseError:
        return []  # The tables are not made yet, or are about to change.
    known = names()
    return [
        *_of_lost("a model", {model for model, _ in named} - known),
        *_of_lost("a fallback", _strings(named) - known),
    ]


def _strings(named: Iterable[tuple[str, Any]]) -> set[str]:
    # The column holds any JSON, whatever forms let through.
    lists = (each for _, each in named if isinstance(each, list))
    return {name for each in lists for name in each if isinstance(name, str)}


def _of_lost(what: str, lost: set[str]) -> Iterator[CheckMessage]:
    if lost:
        shown = ", ".join(repr(name) for name in sorted(lost)[:SHOWN])
        yield CheckWarning(
            f"There are Parrots with {what} that is not known: {shown}.",
            hint='Add it to POLLY["MODELS"], or choose another model in the admin.',
            id="polly.W030",
        )
