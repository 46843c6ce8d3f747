"""Checks of the POLLY dict itself: its keys, their types and their ranges."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from polly_htmx.checks.apps import TAG
from polly_htmx.conf import conf

WORDS: dict[Any, str] = {
    bool: "True or False",
    dict: "a dict",
    float: "a number",
    int: "a whole number",
    list: "a list of strings",
    Path: "a path",
    str: "a string",
    bool | str: "True, False or the name of a model",
}
CHOICES: dict[str, tuple[Any, str]] = {
    "HTMX_VERSION": ((2, 4), "polly.E014"),
    "REPLIES": (("web", "worker"), "polly.E015"),
}

MAY_BE_ZERO = {
    "BREAKER_SECONDS",
    "DAILY_COST",
    "DAILY_TOKENS",
    "LOCAL_CONTEXT",
    "LOCAL_IDLE_SECONDS",
    "LOCAL_THREADS",
    "MAX_QUEUED",
    "RETRIES",
}
"""Numbers that turn something off."""


def given() -> dict[str, Any]:
    """Return what the site wrote into POLLY, or nothing where that is no dict."""
    polly = getattr(settings, "POLLY", {})
    return polly if isinstance(polly, dict) else {}


@register(TAG)
def check_polly(**_kwargs: Any) -> list[CheckMessage]:
    """Look at the dict, its keys, and each value."""
    polly = getattr(settings, "POLLY", {})
    if not isinstance(polly, dict):
        return [
            Error(
                f"POLLY is a {type(polly).__name__}, not a dict.",
                hint='Write POLLY = {"DEFAULT_MODEL": "..."}, or leave it out.',
                id="polly.E010",
            )
        ]
    types = conf.types()
    found: list[CheckMessage] = []
    for key, value in polly.items():
        if key in types:
            found.extend(_of_value(key, value, types[key]))
        else:
            found.append(unknown(f"POLLY[{key!r}]", key, types, "polly.E011"))
    return found


def unknown(what: str, key: object, known: Iterable[str], number: str) -> Error:
    """Return the error of a name that nobody knows, with the one that was meant."""
    names = sorted(known)
    near = difflib.get_close_matches(str(key).upper(), map(str.upper, names), 1, 0.5)
    meant = next((name for name in names if near and name.upper() == near[0]), None)
    hint = f"Did you mean {meant!r}? " if meant else ""
    return Error(
        f"{what} is not known.", hint=f"{hint}Known are: {', '.join(names)}.", id=number
    )


def fits(value: object, kind: Any) -> bool:
    """Tell whether a value has the annotated type of its key."""
    if kind in {int, float}:
        # To Python True is a number, and a whole number is none with a fraction.
        numbers = (int, float) if kind is float else (int,)
        return isinstance(value, numbers) and not isinstance(value, bool)
    if kind is Path:
        return isinstance(value, (str, Path))
    if get_origin(kind) is list:
        is_list = isinstance(value, (list, tuple))
        return is_list and all(isinstance(each, str) for each in value)  # type: ignore[attr-defined]
    if get_origin(kind) is UnionType:
        return any(fits(value, each) for each in get_args(kind))
    return isinstance(value, get_origin(kind) or kind)


def _of_value(key: str, value: Any, kind: Any) -> Iterator[CheckMessage]:
    if not fits(value, kind):
        yield Error(
            # The value itself may hold a key: it is not shown.
            f"POLLY[{key!r}] is of type {type(value).__name__}.",
            hint=f"Write {WORDS.get(kind) or WORDS[get_origin(kind)]}.",
            id="polly.E012",
        )
    elif kind in {int, float} and not _in_range(key, value):
        least = "0 or more" if key in MAY_BE_ZERO else "greater than 0"
        yield Error(
            f"POLLY[{key!r}] is {value!r}.",
            hint=f"Write a number that is {least}.",
            id="polly.E013",
        )
    elif key in CHOICES:
        yield from _of_choice(key, value)
    elif key == "ALLOWED_ORIGINS":
        yield from _of_origins(value)


def _in_range(key: str, value: float) -> bool:
    least_fits = value > 0 or (value == 0 and key in MAY_BE_ZERO)
    return least_fits and math.isfinite(value)


def _of_choice(key: str, value: Any) -> Iterator[CheckMessage]:
    choices, number = CHOICES[key]
    if value not in choices:
        words = " or ".join(repr(each) for each in choices)
        yield Error(f"POLLY[{key!r}] is {value!r}.", hint=f"Write {words}.", id=number)


def _of_origins(origins: Iterable[str]) -> Iterator[CheckMessage]:
    for origin in origins:
        if not _is_origin(origin):
            yield Error(
                f"POLLY['ALLOWED_ORIGINS'] holds {origin!r}, which is no origin.",
                hint="Write scheme, host and port alone: https://example.org",
                id="polly.E017",
            )


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    is_bare = bool(parts.hostname) and text == f"{parts.scheme}://{parts.netloc}"
    return parts.scheme in {"http", "https"} and is_bare and "@" not in text
