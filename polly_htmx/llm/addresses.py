"""Addresses of models' servers: are they any, and do they lie nearby."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

LOCAL_ENDINGS = (".localhost", ".local", ".internal", ".lan")


def is_address(url: str) -> bool:
    """Tell whether a text is the address of a server: scheme and host at least."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # Raises for what is no number.
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def is_local_address(url: str) -> bool:
    """Tell whether a URL leads to this machine or to the network around it."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # A name without a dot is one of a container or of a local network.
        return bool(host) and ("." not in host or host.endswith(LOCAL_ENDINGS))
    return address.is_loopback or address.is_private or address.is_link_local
