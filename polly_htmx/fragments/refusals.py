"""Refusals: what stands in the place of a chat that a person can't have."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.safestring import SafeString

from polly_htmx.conf import conf
from polly_htmx.exceptions import PollyError, SignInRequired
from polly_htmx.fragments.rendering import render


def unavailable(exc: PollyError, *, way_back: str) -> SafeString:
    """Return what stands in the place of a chat that this person can't have."""
    return render("chat/unavailable.html", _refusal(exc, way_back))


def refused(key: uuid.UUID | str, exc: PollyError) -> str:
    """Return the frame that takes a page off the line and says why."""
    context = {"id": key, **_refusal(exc, _page_of(key))}
    return render("frames/refused.html", context).strip()


def _page_of(key: uuid.UUID | str) -> str:
    try:
        return reverse("polly:conversation", args=[uuid.UUID(str(key))])
    except ValueError:
        return reverse("polly:conversations")


def _refusal(exc: PollyError, way_back: str) -> dict[str, Any]:
    login = resolve_url(conf.login_url())
    return {
        "error": exc,
        "sign_in": isinstance(exc, SignInRequired),
        "login_url": f"{login}?{urlencode({REDIRECT_FIELD_NAME: way_back})}",
    }
