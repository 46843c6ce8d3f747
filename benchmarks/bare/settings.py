"""Settings: all that the tests' site has, but us."""

from __future__ import annotations

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS as ALL_APPS

INSTALLED_APPS = [name for name in ALL_APPS if name != "polly_htmx"]
ROOT_URLCONF = "benchmarks.bare.urls"
ASGI_APPLICATION = "benchmarks.bare.asgi.application"
