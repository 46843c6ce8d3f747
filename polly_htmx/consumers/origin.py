"""OriginValidator: only pages of the site itself may open a socket."""

from __future__ import annotations

import logging
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest

from polly_htmx.conf import conf
from polly_htmx.signals import raised_at

logger = logging.getLogger(__name__)

DEFAULT_PORTS = {"http": 80, "https": 443}


class OriginValidator:
    """
    ASGI middleware that refuses handshakes of foreign pages before accept.

    The Origin must have the scheme, host and port of the request itself, or be
    listed in ALLOWED_ORIGINS. The validator of Channels ignores scheme and port,
    and lets everything through where ALLOWED_HOSTS holds "*".
    """

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        if is_own_origin(scope):
            try:
                return await self.application(scope, receive, send)
            except Exception as exc:  # noqa: BLE001  (of the database of sessions)
                # Pages come back after this; their tracebacks would fill the log.
                logger.error(  # noqa: TRY400  (a foreign text may hold anything)
                    "socket refused: no session fault=%s at=%s",
                    type(exc).__name__,
                    raised_at(exc),
                )
        else:
            logger.warning("socket refused: foreign origin path=%r", scope.get("path"))
        return await WebsocketDenier()(scope, receive, send)


def is_own_origin(scope: dict[str, Any]) -> bool:
    """Tell whether a handshake comes from a page of this site."""
    origins = [value for name, value in scope["headers"] if name.lower() == b"origin"]
    if len(origins) != 1:
        return False  # None is no browser; two are a trick.
    origin = _parts(origins[0].decode("latin-1"))
    if origin is None:
        return False
    if origin in [_parts(allowed) for allowed in conf.ALLOWED_ORIGINS]:
        return True
    return origin == _own(scope)


def _own(scope: dict[str, Any]) -> tuple[str, str, int] | None:
    """Return the site's scheme, host and port as this request sees them.

    Django's own request does the reading, so that ALLOWED_HOSTS,
    USE_X_FORWARDED_HOST and SECURE_PROXY_SSL_HEADER count here too.
    """
    request = _request(scope)
    try:
        return _parts(f"{request.scheme}://{request.get_host()}")
    except DisallowedHost:
        return None


def _request(scope: dict[str, Any]) -> HttpRequest:
    scheme = "https" if scope.get("scheme") in {"wss", "https"} else "http"
    headers = [
        (name, value) for name, value in scope["headers"] if name.lower() != b"cookie"
    ]
    http = {**scope, "type": "http", "method": "GET", "scheme": scheme}
    return ASGIRequest({**http, "headers": headers}, BytesIO())


def _parts(origin: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port of an origin that is nothing but these."""
    try:
        parts = urlsplit(origin)
        port = parts.port or DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    if not parts.hostname or origin.count("/") != 2 or "@" in origin:  # noqa: PLR2004
        return None
    return parts.scheme, parts.hostname, port
