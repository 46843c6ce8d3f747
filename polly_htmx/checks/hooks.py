"""Check of HOOKS: the chain that may rewrite or refuse messages and answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string

from polly_htmx.checks.apps import TAG
from polly_htmx.checks.keys import fits, given
from polly_htmx.hooks import Hook


@register(TAG)
def check_hooks(**_kwargs: Any) -> list[CheckMessage]:
    """Import each class, and see whether it is a Hook."""
    paths = given().get("HOOKS", [])
    if not fits(paths, list[str]):
        return []  # Reported with the types of the keys.
    return [error for path in paths for error in _of_path(path)]


def _of_path(path: str) -> Iterator[CheckMessage]:
    try:
        found = import_string(path)
    except ImportError as exc:
        yield Error(
            f'POLLY["HOOKS"] holds {path!r}, which can\'t be imported: {exc}.',
            hint="Write the dotted path of your subclass of polly_htmx.hooks.Hook.",
            id="polly.E032",
        )
        return
    if not (isinstance(found, type) and issubclass(found, Hook)):
        yield Error(
            f'POLLY["HOOKS"] holds {path!r}, which is not a Hook.',
            hint="Derive the class from polly_htmx.hooks.Hook.",
            id="polly.E033",
        )
