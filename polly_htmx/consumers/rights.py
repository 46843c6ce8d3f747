"""Rights: whether an open socket may still be here, asked once for all that ask alike."""

from __future__ import annotations

from functools import partial
from typing import Any

from polly_htmx import access
from polly_htmx.access import Who
from polly_htmx.consumers.together import together
from polly_htmx.models import SmartConversation

_ROOM = __name__.rpartition(".")[0]
_OURS = {f"{_ROOM}.chat", f"{_ROOM}.admin"}

Asker = Any
"""A TurnTaker that is a consumer as well, and so has a scope."""


def question(asker: Asker) -> str:
    """
    Return what all sockets have in common that get the same answer; "" for none.

    The tabs of one session with one conversation ask the same. A host's own
    authorise() may look at whatever it likes, so there each asks for itself.
    """
    ask: Any = type(asker).authorise
    user, session = asker.scope.get("user"), asker.scope.get("session")
    key = getattr(session, "session_key", None)
    if ask.__module__ not in _OURS or not key or not asker.who.user:
        return ""
    return f"{ask.__module__} {asker.key} {key} {user.pk}"


async def ask_again(asker: Asker) -> None:
    """See TurnTaker.open_for(); raises AccessDenied."""
    ask = partial(access.who_now, asker.scope)
    alike = question(asker)
    if not alike:
        await asker.open_for(ask, asker.key)
        return

    async def work() -> tuple[Who, SmartConversation]:
        await asker.open_for(ask, asker.key)
        return asker.who, asker.conversation

    asker.who, asker.conversation = await together(alike, work)
