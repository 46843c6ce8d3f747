"""The chain: the site's hooks in their order, and a message's way through them."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.utils.module_loading import import_string

from polly_htmx.access import Who
from polly_htmx.conf import conf
from polly_htmx.exceptions import HookFailed, MessageRefused
from polly_htmx.hooks.base import Hook, Veto
from polly_htmx.llm.cleaning import clean
from polly_htmx.models import SmartConversation

logger = logging.getLogger(__name__)

Method = Callable[..., Any]


def chain() -> tuple[Hook, ...]:
    """Return the site's hooks in their order, made once in a process."""
    return _made(tuple(conf.HOOKS))


@lru_cache(maxsize=8)
def _made(paths: tuple[str, ...]) -> tuple[Hook, ...]:
    return tuple(import_string(path)() for path in paths)


def overrides(hook: Hook, method: str) -> bool:
    """Tell whether a hook has a method of its own: else it need not be asked."""
    return getattr(type(hook), method) is not getattr(Hook, method)


def hears_messages() -> bool:
    """Tell whether any hook wants to see messages."""
    return bool(_of_messages())


def pass_message(text: str, *, conversation: SmartConversation, who: Who) -> str:
    """
    Return what the hooks make of a message.

    Raises MessageRefused for a veto, HookFailed if a hook is broken.
    """
    for method in _of_messages():
        with _guarded(method, MessageRefused):
            # A plain hook is called at once: no thread waits for a loop without need.
            call = async_to_sync(method) if _is_async(method) else method
            text = _checked(call(text, conversation=conversation, who=who))
    return text


async def apass_message(text: str, *, conversation: SmartConversation, who: Who) -> str:
    """See pass_message(). Holds no thread while an async hook takes its time."""
    for method in _of_messages():
        with _guarded(method, MessageRefused):
            call = _as_async(method)
            text = _checked(await call(text, conversation=conversation, who=who))
    return text


async def pass_answer(method: Method, text: str, *, reply: Any) -> str:
    """Return what one hook's method makes of an answer, or of a part of it."""
    with _guarded(method, None):
        return _checked(await _as_async(method)(text, reply=reply))


async def pass_summary(method: Method, text: str, **about: Any) -> str:
    """Return what one hook's method makes of a summary."""
    with _guarded(method, None):
        return _checked(await _as_async(method)(text, **about))


def asked_of(method: str) -> list[Method]:
    """Return a method of each hook that has one of its own, in their order."""
    return [getattr(hook, method) for hook in chain() if overrides(hook, method)]


def _of_messages() -> list[Method]:
    return asked_of("message")


def _is_async(method: Method) -> bool:
    return inspect.iscoroutinefunction(method)


def _as_async(method: Method) -> Method:
    # Not by in_database(): that may close the connection, and a plain form's
    # message may come inside the form's transaction.
    return method if _is_async(method) else sync_to_async(method)


def _checked(said: object) -> str:
    if not isinstance(said, str):
        raise TypeError("A hook must return a text.")
    return clean(said)


@contextmanager
def _guarded(method: Method, refusal: type[MessageRefused] | None) -> Iterator[None]:
    """Turn a veto into the refusal, if any; a broken hook lets nothing through."""
    try:
        yield
    except Veto as veto:
        if refusal is None:
            raise
        raise refusal(veto.reason) from None
    except Exception as exc:
        name = getattr(method, "__qualname__", "?")
        # Only the kind: the text of a foreign exception may hold the message.
        logger.error(  # noqa: TRY400
            "hook failed hook=%s fault=%s", name, type(exc).__name__
        )
        raise HookFailed from exc
