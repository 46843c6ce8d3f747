"""Which destinations links and images may have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from polly_htmx.conf import conf

# Whole addresses only: what is relative would act on the host site in the
# reader's name, and browsers read "https:x" and "https:/x" as something else.
_ALLOWED = re.compile(r"https?://[^\s/?#\\][^\s\\]*|mailto:[^\s\\]+", re.IGNORECASE)


def is_allowed(url: str) -> bool:
    """Return whether a link may lead to the URL; if not, its source is shown."""
    return _ALLOWED.fullmatch(url) is not None


def is_image_allowed(url: str) -> bool:
    """Return whether an image may load from the URL without being asked for."""
    hosts = {host.lower() for host in conf.IMAGE_HOSTS}
    if not hosts or not is_allowed(url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    # The whole authority is compared: a user name or a port makes another place.
    return parts.scheme == "https" and parts.netloc.lower() in hosts


def unlink_empty(state: StateCore) -> None:
    """Leave only the text of links without a destination; a rule for the parser."""
    for token in state.tokens:
        if token.children and any(map(_leads_nowhere, token.children)):
            token.children = list(_without_empty_links(token.children))


def _without_empty_links(tokens: Iterable[Token]) -> Iterator[Token]:
    # Links do not nest, so the next end belongs to the last beginning.
    dropping = False
    for token in tokens:
        if _leads_nowhere(token):
            dropping = True
        elif dropping and token.type == "link_close":
            dropping = False
        else:
            yield token


def _leads_nowhere(token: Token) -> bool:
    return token.type == "link_open" and not token.attrs.get("href")
