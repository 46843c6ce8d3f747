"""The ASGI application of the tests' host site, as the README shows it."""

from __future__ import annotations

import os

from channels.routing import ProtocolTypeRouter
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

# Before the next line: the routes ask the settings for their prefix.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from polly_htmx.routing import polly_asgi_routes

application = ProtocolTypeRouter(
    {
        "http": ASGIStaticFilesHandler(get_asgi_application()),
        **polly_asgi_routes,
    }
)
