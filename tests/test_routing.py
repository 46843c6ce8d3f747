"""Routing: importable before Django is set up, and with a prefix of the site's own."""

from __future__ import annotations

import subprocess
import sys

BEFORE = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
from polly_htmx.routing import polly_asgi_routes, websocket_urlpatterns
from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application
application = ProtocolTypeRouter({"http": get_asgi_application(), **polly_asgi_routes})
print(sorted(polly_asgi_routes), len(websocket_urlpatterns))
"""

AFTER = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
from django.core.asgi import get_asgi_application
http = get_asgi_application()
from channels.routing import ProtocolTypeRouter, URLRouter
from polly_htmx.routing import polly_asgi_routes, websocket_urlpatterns
application = ProtocolTypeRouter({"http": http, **polly_asgi_routes})
URLRouter(websocket_urlpatterns)
import sys
assert "litellm" not in sys.modules and "xllamacpp" not in sys.modules
print(sorted(polly_asgi_routes), len(websocket_urlpatterns))
"""

PREFIX = """
from django.conf import settings
settings.configure(POLLY={"WEBSOCKET_PREFIX": "/talk/"})
from polly_htmx.routing import websocket_urlpatterns
print([str(pattern.pattern) for pattern in websocket_urlpatterns])
"""


def python(source: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_routing_works_before_django_is_set_up() -> None:
    assert python(BEFORE) == "['channel', 'websocket'] 3"


def test_routing_works_after_django_is_set_up_and_loads_no_engine() -> None:
    assert python(AFTER) == "['channel', 'websocket'] 3"


def test_prefix_of_the_sockets_is_the_sites_choice() -> None:
    assert "talk/smart-gpt/<path:conversation>/" in python(PREFIX)
