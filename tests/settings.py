"""The host site of the tests: as little as a site can have."""

from __future__ import annotations

import atexit
import json
import os
import tempfile
from pathlib import Path
from typing import Any

BASE_DIR = Path(__file__).resolve().parent

DEBUG = False
SECRET_KEY = "only-for-the-tests"
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
USE_TZ = True
STATIC_URL = "/static/"
LOGIN_URL = "/accounts/login/"
ROOT_URLCONF = "tests.urls"
ASGI_APPLICATION = "tests.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Speed: the tests make many users.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def _channel_layer(address: str) -> dict[str, Any]:
    """
    Return the layer at an address: within this process where none is given.

    redis://HOST:PORT uses Redis' pub/sub, redis-core://HOST:PORT its lists.
    """
    if not address:
        return {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    backends = {
        "redis": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "redis-core": "channels_redis.core.RedisChannelLayer",
    }
    kind, _, host = address.partition("://")
    return {"BACKEND": backends[kind], "CONFIG": {"hosts": [f"redis://{host}"]}}


INSTALLED_APPS = [
    "daphne",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_htmx",
    "polly_htmx",
]

MIDDLEWARE = [
    "sandbox.middleware.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# A process that a test starts is told its settings by the test.
CHANNEL_LAYERS = {"default": _channel_layer(os.environ.get("POLLY_TEST_LAYER", ""))}
POLLY = json.loads(os.environ.get("POLLY_TEST_SETTINGS", '{"DEFAULT_MODEL": "DUMMY"}'))
# Tests that count calls or rows want none that they did not ask for.
POLLY.setdefault("TITLES", False)

if _level := os.environ.get("POLLY_TEST_LOG"):
    # What operators read, for tests that read it too.
    LOGGING = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"format": "%(levelname)s %(name)s %(message)s"}},
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "plain"}
        },
        "root": {"handlers": ["console"], "level": _level},
    }


def _sqlite_file() -> str:
    """
    Return a file, since threads and daphne must see the same rows.

    POLLY_TEST_SQLITE names one for processes that a test starts; without it each
    run of the suite has its own, which goes when the run ends.
    """
    if given := os.environ.get("POLLY_TEST_SQLITE"):
        return given
    folder = tempfile.TemporaryDirectory(prefix="polly-tests-")
    atexit.register(folder.cleanup)
    return str(Path(folder.name) / "tests.sqlite3")


if os.environ.get("POLLY_TEST_DATABASE") == "postgres":
    # Address and user come from libpq's own variables: PGHOST, PGPORT, PGUSER.
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ.get("PGDATABASE", "postgres"),
            "USER": os.environ.get("PGUSER", ""),
            "HOST": os.environ.get("PGHOST", ""),
            "PORT": os.environ.get("PGPORT", ""),
            "TEST": {"NAME": os.environ.get("POLLY_TEST_PGNAME", "test_polly")},
        },
    }
else:
    _SQLITE = _sqlite_file()
    # No test cuts the power: nobody need wait for the disk.
    _DISK = os.environ.get("POLLY_TEST_SYNCHRONOUS", "OFF")
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": _SQLITE,
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode = WAL;"
                f"PRAGMA synchronous = {_DISK};",
            },
            "TEST": {"NAME": _SQLITE},
        },
    }
