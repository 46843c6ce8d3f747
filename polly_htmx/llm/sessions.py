"""Sessions: the HTTP client that is given to litellm for all its providers."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.request import getproxies
from weakref import WeakKeyDictionary

import httpx

from polly_htmx.conf import conf
from polly_htmx.llm.litellm_requests import SENT_BY
from polly_htmx.llm.transport import IDLE, Transport

HEADERS = {"Accept-Encoding": "identity"}
"""Chunks are read as they come, so they had better not be packed."""

PROXIES = frozenset({"http", "https", "all"})
"""Under which names the environment may tell of proxies."""
LIMITS = httpx.Limits(
    max_connections=None, max_keepalive_connections=100, keepalive_expiry=IDLE
)


class Session(httpx.AsyncClient):
    """
    One client to hold, which has a client of its own for each event loop.

    It follows no redirect, for keys and questions go to the address that was set and
    to no other. It limits no number of connections: a question that waits for another
    answer's end would seem to be the provider's silence.
    """

    def __init__(self, *, verify: Any = True, through_proxies: bool = True) -> None:
        self._verify, self._through_proxies = verify, through_proxies
        self._clients: WeakKeyDictionary[
            asyncio.AbstractEventLoop, httpx.AsyncClient
        ] = WeakKeyDictionary()
        # This one only makes requests; it never opens a connection.
        super().__init__(verify=verify, trust_env=False, headers=HEADERS)

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """See httpx.AsyncClient."""
        # The SDKs know one time limit for all, and ours for an answer is long. Whoever
        # is there at all takes a call at once.
        limits = {
            **request.extensions.get("timeout", {}),
            "connect": conf.CONNECT_TIMEOUT,
        }
        request.extensions = {**request.extensions, "timeout": limits}
        response = await self._of_this_loop().send(
            request, **options | {"follow_redirects": False}
        )
        response.extensions[SENT_BY] = self
        return response

    def _of_this_loop(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._clients[loop] = self._client()
        return self._clients[loop]

    def _client(self) -> httpx.AsyncClient:
        if self._through_proxies and PROXIES & getproxies().keys():
            # httpx knows the rules by which some addresses go past them.
            return httpx.AsyncClient(verify=self._verify, limits=LIMITS)
        return httpx.AsyncClient(
            transport=Transport(verify=self._verify), trust_env=False
        )


def share(litellm: Any) -> None:
    """Let all of litellm's providers use one session, but those that have their own."""
    http = litellm.llms.custom_httpx.http_handler
    session = Session(verify=http.get_ssl_configuration())
    # For those that it asks through the OpenAI SDK there is a switch ...
    litellm.aclient_session = litellm.aclient_session or session
    # ... and the clients for the others are made out of sight, but kept here.
    keep = litellm.in_memory_llm_clients_cache.set_cache

    def set_cache(key: str, value: object, **options: Any) -> None:
        if isinstance(value, http.AsyncHTTPHandler):
            value.follow_redirects = value.client.follow_redirects = False
            if value.ssl_verify is None:
                value.client = session
        keep(key, value, **options)

    litellm.in_memory_llm_clients_cache.set_cache = set_cache
