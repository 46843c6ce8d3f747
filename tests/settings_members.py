"""The host site of the tests with a user model of its own, and without an admin."""

from __future__ import annotations

from tests.settings import *  # noqa: F403

INSTALLED_APPS = [
    *(
        app
        for app in INSTALLED_APPS  # noqa: F405
        if app not in {"unfold", "django.contrib.admin"}
    ),
    "tests.members",
]
AUTH_USER_MODEL = "members.Member"
ROOT_URLCONF = "tests.members.urls"
DATABASES["default"] |= {"ATOMIC_REQUESTS": True}  # type: ignore[dict-item]  # noqa: F405
MIDDLEWARE.remove("sandbox.middleware.content_security_policy")  # noqa: F405  (it knows an admin)
# Not litellm, which takes seconds to load and has nothing to do with users.
POLLY = {
    "DEFAULT_MODEL": "SCRIPTED",
    "MODELS": {
        "SCRIPTED": {
            "label": "Scripted",
            "backend": "polly_htmx.llm.scripted.ScriptedInvoker",
            "params": {"text": "Hello to you."},
        }
    },
}
