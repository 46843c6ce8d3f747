"""Settings of the sandbox as in production: no DEBUG, packed and cached static files."""

from __future__ import annotations

from sandbox.settings import *  # noqa: F403 - it is the sandbox, but for these
from sandbox.settings import DATA_DIR, MIDDLEWARE

DEBUG = False
ROOT_URLCONF = "benchmarks.visit.urls"
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    },
}
MIDDLEWARE = ["django.middleware.gzip.GZipMiddleware", *MIDDLEWARE]

TEXT = "Parrots eat **seeds** and *fruit*:\n\n- apples\n- `nuts`\n\n"
POLLY = {
    "DEFAULT_MODEL": "SCRIPTED",
    "TITLES": False,
    "MAX_ANSWER_CHARS": 1_000_000,
    "MODELS": {
        "SCRIPTED": {
            "label": "Scripted",
            "backend": "polly_htmx.llm.scripted.ScriptedInvoker",
            "params": {"text": TEXT},
        },
    },
}
