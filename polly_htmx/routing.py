"""Routes of sockets and workers, safe to import before Django is set up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from django.urls import path, re_path
from django.utils.module_loading import import_string

from polly_htmx.conf import conf

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
# Django's path() is typed for views; Channels gives it applications as well.
Routes = Any


def _late(make: Callable[[], Application]) -> Application:
    """
    Return an application that is made at its first connection.

    Consumers import models, and those can't be imported before the apps are
    loaded, which a host's asgi.py may do after it has imported this module.
    """
    made: list[Application] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if not made:
            made.append(make())
        await made[0](scope, receive, send)

    return application


def _consumer(find: Callable[[], str]) -> Application:
    return _late(lambda: import_string(find()).as_asgi())


def _websocket() -> Application:
    from channels.auth import AuthMiddlewareStack
    from channels.routing import URLRouter

    from polly_htmx.consumers.origin import OriginValidator

    known: Any = OriginValidator(AuthMiddlewareStack(cast("Any", _as_known)))
    router: Any = URLRouter(_all_patterns)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        # First the middleware, then the socket, and not the one inside the other: each
        # layer keeps a frame and a copy of the scope for as long as the socket lives.
        found = await known(scope, receive, send)
        if found is not None:
            scope, send = found
            await router(scope, receive, send)

    return application


async def _as_known(scope: Scope, _receive: Receive, send: Send) -> tuple[Scope, Send]:
    """Return what the middleware has made of a connection."""
    return scope, send


def _channel() -> Application:
    from channels.routing import ChannelNameRouter

    from polly_htmx.chat.layer import WORKERS
    from polly_htmx.consumers.worker import ReplyWorker

    router: Any = ChannelNameRouter({WORKERS: ReplyWorker.as_asgi()})
    return cast("Application", router)


_prefix = conf.WEBSOCKET_PREFIX.strip("/")
_chat: Routes = _consumer(lambda: conf.CONSUMER)
_admin: Routes = _consumer(lambda: "polly_htmx.consumers.SmartGPTConsumerAdmin")
_list: Routes = _consumer(lambda: "polly_htmx.consumers.ListConsumer")

websocket_urlpatterns: Routes = [
    path(f"{_prefix}/smart-gpt/<path:conversation>/", _chat),
    path(f"{_prefix}/smart-gpt-admin/<path:conversation>/", _admin),
    path(f"{_prefix}/list/", _list),
]
"""The sockets alone, for a host that brings its own origin and session stack."""

_all_patterns: Routes = [
    *websocket_urlpatterns,
    # Anything else is refused like a conversation that does not exist.
    re_path(r"^(?P<conversation>.*)$", _chat),
]

polly_asgi_routes: dict[str, Application] = {
    "websocket": _late(_websocket),
    "channel": _late(_channel),
}
"""For ProtocolTypeRouter: the sockets behind our origin check and the session, and
the workers' channel for ``manage.py runworker polly-replies``."""
