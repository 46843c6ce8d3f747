"""URLs of the sandbox, and its static files as a web server would send them."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path
from django.views.static import serve

from sandbox.urls import urlpatterns as pages

YEAR = 31_536_000


def static_file(request: HttpRequest, name: str) -> HttpResponseBase:
    """Send a file whose name has a hash of what is in it: it never changes."""
    response = serve(request, name, document_root=settings.STATIC_ROOT)
    response["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return response


urlpatterns = [path("static/<path:name>", static_file), *pages]
