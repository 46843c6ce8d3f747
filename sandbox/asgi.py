"""The sandbox's ASGI application."""

from __future__ import annotations

import os

from channels.routing import ProtocolTypeRouter
from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

# Before the next line: the routes ask the settings for their prefix.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sandbox.settings")

from polly_htmx.routing import polly_asgi_routes

http = get_asgi_application()
if settings.DEBUG:
    http = ASGIStaticFilesHandler(http)

application = ProtocolTypeRouter({"http": http, **polly_asgi_routes})
