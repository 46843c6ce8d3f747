"""Checks of what works but will hurt: open doors, plain keys, a slow database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning as CheckWarning, register
from django.db import router

from polly_htmx.checks.apps import TAG
from polly_htmx.checks.keys import fits, given
from polly_htmx.checks.models import entries
from polly_htmx.llm.addresses import is_local_address
from polly_htmx.llm.model_type import ENV
from polly_htmx.models import Message

SIGNED_COOKIES = "django.contrib.sessions.backends.signed_cookies"
WRITING_MODES = {"IMMEDIATE", "EXCLUSIVE"}
LIMITS = {"MESSAGES_PER_MINUTE": 60, "MAX_RUNNING_REPLIES": 10}
"""What strangers may do at the most before it counts as no limit."""


@register(TAG)
def check_hosts(**_kwargs: Any) -> list[CheckMessage]:
    """Look for a site that answers to any name."""
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        CheckWarning(
            'ALLOWED_HOSTS holds "*". Who may open a socket is judged by the '
            "request's own host, which is then whatever the request says.",
            hint="List the names of your site.",
            id="polly.W003",
        )
    ]


@register(TAG)
def check_sqlite(**_kwargs: Any) -> list[CheckMessage]:
    """Look for an SQLite that gives up when two people write at once."""
    alias = router.db_for_write(Message)
    databases: dict[str, dict[str, Any]] = settings.DATABASES
    database = databases.get(alias, {})
    if not str(database.get("ENGINE", "")).endswith("sqlite3"):
        return []
    options = database.get("OPTIONS", {})
    mode = str(options.get("transaction_mode", "")).upper()
    if mode in WRITING_MODES and "timeout" in options:
        return []
    return [
        CheckWarning(
            'SQLite will say "database is locked" when two people write at once.',
            hint='Set "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, '
            '"init_command": "PRAGMA journal_mode = WAL;"} '
            f"for the database {alias!r}, or use PostgreSQL.",
            id="polly.W004",
        )
    ]


@register(TAG)
def check_sessions(**_kwargs: Any) -> list[CheckMessage]:
    """Look for sessions that can't be ended from here."""
    if settings.SESSION_ENGINE != SIGNED_COOKIES:
        return []
    return [
        CheckWarning(
            "Sessions lie in the browsers' cookies. A sign-out then can't reach a "
            "socket that is open in another tab.",
            hint="Keep sessions in the database or the cache: see SESSION_ENGINE.",
            id="polly.W005",
        )
    ]


@register(TAG)
def check_visitors(**_kwargs: Any) -> list[CheckMessage]:
    """Look for a site where anybody may use the model without end."""
    polly = given()
    if polly.get("ALLOW_ANONYMOUS") is not True:
        return []
    loose = [
        key
        for key, most in LIMITS.items()
        if not fits(polly.get(key), int) or polly[key] > most
    ]
    if not loose:
        return []
    return [
        CheckWarning(
            "Visitors without an account may chat, and no limit was chosen for them: "
            f"{', '.join(loose)}.",
            hint="Set these keys of POLLY to what strangers may cost you; a visitor "
            "who drops the cookie begins anew.",
            id="polly.W006",
        )
    ]


@register(TAG)
def check_connections(**_kwargs: Any) -> list[CheckMessage]:
    """Look at how questions and keys travel, and where keys lie."""
    return [each for name in entries() for each in _of_entry(name, entries()[name])]


def _of_entry(name: str, entry: dict[str, Any]) -> Iterator[CheckMessage]:
    base, key = entry.get("api_base", ""), entry.get("api_key", "")
    is_local = is_local_address(base)
    if base.lower().startswith("http://") and not is_local:
        yield CheckWarning(
            f"Model {name} is reached over http: questions, answers and the key can "
            "be read on the way.",
            hint=f'Use https in POLLY["MODELS"][{name!r}]["api_base"].',
            id="polly.W022",
        )
    # A server of one's own often wants some key and does not look at it.
    if key and not key.startswith(ENV) and not is_local:
        yield CheckWarning(
            f"The key of model {name} lies in the settings.",
            hint='Put it into the environment, and write "env:NAME_OF_THE_VARIABLE".',
            id="polly.W023",
        )
