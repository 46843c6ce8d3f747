"""Checks of the site around us: ASGI, channel layer, middleware, templates, URLs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.checks import CheckMessage, Error, Warning as CheckWarning, register
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from polly_htmx.checks.apps import TAG
from polly_htmx.checks.keys import given

REQUEST = "django.template.context_processors.request"
LAYER_HINT = (
    "For one process: CHANNEL_LAYERS = "
    '{"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}. '
    "For more: channels_redis."
)
WORKER_HINT = (
    "Use channels_redis.pubsub.RedisPubSubChannelLayer: pip install polly-htmx[redis]."
)


@register(TAG)
def check_asgi(**_kwargs: Any) -> list[CheckMessage]:
    """Look for the application that serves the sockets."""
    if getattr(settings, "ASGI_APPLICATION", None):
        return []
    return [
        Error(
            "ASGI_APPLICATION is not set, so nothing serves the sockets.",
            hint='Set it to your ASGI application, such as "mysite.asgi.application", '
            "a ProtocolTypeRouter with **polly_asgi_routes.",
            id="polly.E001",
        )
    ]


@register(TAG, deploy=True)
def check_routes(**_kwargs: Any) -> list[CheckMessage]:
    """Look for sockets in the application; it is imported, so only for a deploy."""
    name = getattr(settings, "ASGI_APPLICATION", None)
    try:
        application = import_string(name) if name else None
    except ImportError:
        application = None
    # Another kind of application may well route sockets in a way of its own.
    routes = getattr(application, "application_mapping", None)
    if routes is None or "websocket" in routes:
        return []
    return [
        CheckWarning(
            f"{name} serves no sockets.",
            hint="Add **polly_asgi_routes of polly_htmx.routing to its "
            "ProtocolTypeRouter.",
            id="polly.W008",
        )
    ]


def _worker_layer(backend: str) -> list[CheckMessage]:
    """Look whether the layer carries replies between web processes and workers."""
    if backend.endswith(".InMemoryChannelLayer"):
        return [
            Error(
                'POLLY["REPLIES"] is "worker", but the channel layer lives in the '
                "memory of one process, so no worker ever hears of a reply.",
                hint=WORKER_HINT,
                id="polly.E016",
            )
        ]
    if backend == "channels_redis.core.RedisChannelLayer":
        return [
            CheckWarning(
                "With this channel layer a worker ends when Redis goes away.",
                hint=WORKER_HINT,
                id="polly.W009",
            )
        ]
    return []


@register(TAG)
def check_layer(**_kwargs: Any) -> list[CheckMessage]:
    """Look for the channel layer, and whether it reaches all processes."""
    layers = getattr(settings, "CHANNEL_LAYERS", {})
    backend = layers.get("default", {}).get("BACKEND", "")
    if not backend:
        text = "There is no default channel layer, so no answer reaches a page."
        return [Error(text, hint=LAYER_HINT, id="polly.E006")]
    if given().get("REPLIES") == "worker":
        return _worker_layer(backend)
    if backend.endswith(".InMemoryChannelLayer") and not settings.DEBUG:
        return [
            CheckWarning(
                "The channel layer lives in the memory of one process. With more "
                "than one, answers do not reach the pages of the others.",
                hint="Use channels_redis, or serve the site by a single process.",
                id="polly.W001",
            )
        ]
    return []


@register(TAG)
def check_middleware(**_kwargs: Any) -> list[CheckMessage]:
    """Look for the middleware by which we know who is asking."""
    classes = [_imported(name) for name in settings.MIDDLEWARE]
    return [
        Error(
            f"No {wanted.__name__} is in MIDDLEWARE, so nobody can be known.",
            hint=f'Add "{wanted.__module__}.{wanted.__name__}" to MIDDLEWARE.',
            id="polly.E007",
        )
        for wanted in (SessionMiddleware, AuthenticationMiddleware)
        if not any(
            isinstance(each, type) and issubclass(each, wanted) for each in classes
        )
    ]


def _imported(name: str) -> Any:
    try:
        return import_string(name)
    except ImportError:  # Django itself complains when it serves.
        return None


@register(TAG)
def check_templates(**_kwargs: Any) -> list[CheckMessage]:
    """Look for the request in templates, which the tags need."""
    engines: list[dict[str, Any]] = settings.TEMPLATES
    for engine in engines:
        if REQUEST in engine.get("OPTIONS", {}).get("context_processors", ()):
            return []
    return [
        Error(
            "Templates do not know the request, which the tags of polly need.",
            hint=f'Add "{REQUEST}" to the context_processors in TEMPLATES.',
            id="polly.E008",
        )
    ]


@register(TAG)
def check_urls(**_kwargs: Any) -> list[CheckMessage]:
    """Look for the pages: the forms of every chat lead to them."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return []
    try:
        reverse("polly:conversations")
    except NoReverseMatch:
        return [
            CheckWarning(
                "The pages of polly have no address, so no chat can be shown.",
                hint='Add path("polly/", include("polly_htmx.urls")) to your '
                "urlpatterns, under any prefix.",
                id="polly.W002",
            )
        ]
    return []
