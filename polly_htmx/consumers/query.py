"""What a page says of itself in its socket's address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import parse_qs

from django.utils import translation

MAX_MILLISECONDS = 13  # Digits, until the year 2286.
MAX_DIGITS = 10
"""Numbers of pages have fewer; Python takes its time over very long ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """The page's mark, its first message, its language, and if a list is beside it."""

    state: str
    first: int
    language: str
    listed: str = ""
    at: datetime | None = None
    """As of when the list is."""
    is_archive: bool = False
    """Whether it is the list of archived chats."""

    @classmethod
    def of(cls, scope: Any) -> Self:
        """Read the query of a socket's scope; nonsense counts as nothing."""
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        default = translation.get_language() or "en"
        return cls(
            state=query.get("state", [""])[0],
            first=number(query.get("from", [""])[0]) or 0,
            language=_language(query.get("lang", [default])[0], default),
            listed=query.get("list", [""])[0],
            at=_moment(query.get("at", [""])[0]),
            is_archive=query.get("place") == ["archive"],
        )


def number(text: str) -> int | None:
    """Return a number that a page has written, or None for anything else."""
    is_number = text.isascii() and text.isdecimal() and len(text) < MAX_DIGITS
    return int(text) if is_number else None


def _moment(text: str) -> datetime | None:
    """Return the moment of so many milliseconds since 1970, None for anything else."""
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_MILLISECONDS):
        return None
    return datetime.fromtimestamp(int(text) / 1000, UTC)


def _language(wanted: str, default: str) -> str:
    try:
        return translation.get_supported_language_variant(wanted)
    except LookupError:
        return default
