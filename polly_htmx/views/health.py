"""The health of the site, for load balancers and monitors."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from polly_htmx.chat.health import ahealth


@require_safe
async def health(request: HttpRequest) -> JsonResponse:
    """
    Tell how database, channel layer and replies are: 200 if well, else 503.

    Open to everybody, since those who ask have no account; nothing but these words
    and one number is told.
    """
    found = await ahealth()
    words = {
        "database": "ok" if found.database else "failed",
        "layer": "ok" if found.layer else "failed",
        "replies": {None: "unknown", 0: "ok"}.get(found.stuck, "stuck"),
        "stuck": found.stuck or 0,
    }
    response = JsonResponse(words, status=200 if found.is_well else 503)
    patch_cache_control(response, no_store=True)
    return response
