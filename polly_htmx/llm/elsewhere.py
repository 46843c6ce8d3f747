"""Parameters that are none: names of addresses, of keys, and of other models."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

OF_THE_ENTRY = frozenset({"api_base", "api_key", "base_url", "model"})
"""What stands beside ``params`` in an entry of MODELS, where it is looked at, and not in
them."""

TELLING = frozenset(
    {
        "apikey",
        "base",
        "baseurl",
        "body",
        "client",
        "credential",
        "credentials",
        "endpoint",
        "header",
        "headers",
        "host",
        "key",
        "model",
        "password",
        "provider",
        "proxy",
        "secret",
        "token",
        "url",
    }
)
"""Words in names of whatever decides who gets a question, and by which key. Better one
too many: what a Parrot may not say, the settings may."""


def leads_elsewhere(name: str) -> bool:
    """Tell whether a name sounds of where a question goes, or by which key."""
    return not TELLING.isdisjoint(re.split("[^a-z]+", name.lower()))


def elsewhere(name: str) -> str:
    """Return what there is to say of such a name, translated."""
    text = _(
        "%(name)s is no parameter: where a model is reached, and by which key, is said "
        "in the settings, in its entry of MODELS."
    )
    return text % {"name": name}
