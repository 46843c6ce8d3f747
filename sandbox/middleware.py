"""A strict Content-Security-Policy for all pages but the admin's."""

from __future__ import annotations

from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.decorators import sync_and_async_middleware

POLICY = "; ".join(
    (
        "default-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)


@sync_and_async_middleware
def content_security_policy(get_response: Any) -> Any:
    """
    Return the middleware, which sends the policy with every page.

    It comes in both kinds. One that is only plain has each request wait in a thread for
    the event loop, and where that ends meanwhile, the server never does.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        return with_policy(request, get_response(request))

    async def amiddleware(request: HttpRequest) -> HttpResponse:
        return with_policy(request, await get_response(request))

    return amiddleware if iscoroutinefunction(get_response) else middleware


def with_policy(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Add the policy to a response."""
    # unfold's pages run Alpine, which evaluates strings.
    if not request.path.startswith(reverse("admin:index")):
        response.headers.setdefault("Content-Security-Policy", POLICY)
    return response
