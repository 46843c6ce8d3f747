"""Checks of INSTALLED_APPS: what must be there, and before what."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Warning as CheckWarning, register

TAG = "polly"


@register(TAG)
def check_apps(**_kwargs: Any) -> list[CheckMessage]:
    """Look for the apps that we build on."""
    return [
        Error(
            f"{name} is not in INSTALLED_APPS.",
            hint=f'Add "{name}" to INSTALLED_APPS{where}.',
            id=number,
        )
        for name, number, where in (
            ("channels", "polly.E002", ""),
            ("daphne", "polly.E003", ", as the first"),
            ("django_htmx", "polly.E005", ""),
        )
        if not apps.is_installed(name)
    ]


@register(TAG)
def check_order(**_kwargs: Any) -> list[CheckMessage]:
    """Look at the order, by which commands and templates are found."""
    found: list[CheckMessage] = []
    if _comes_after("daphne", "django.contrib.staticfiles"):
        found.append(
            Error(
                "daphne comes after django.contrib.staticfiles in INSTALLED_APPS, "
                "so runserver serves no sockets.",
                hint='Move "daphne" to the beginning of INSTALLED_APPS.',
                id="polly.E004",
            )
        )
    if _comes_after("unfold", "django.contrib.admin"):
        found.append(
            CheckWarning(
                "unfold comes after django.contrib.admin in INSTALLED_APPS, so its "
                "templates are not found.",
                hint='Move "unfold" before "django.contrib.admin".',
                id="polly.W007",
            )
        )
    return found


def _comes_after(name: str, other: str) -> bool:
    names = [config.name for config in apps.get_app_configs()]
    both = name in names and other in names
    return both and names.index(name) > names.index(other)
