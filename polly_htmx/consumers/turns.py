"""Turns of a consumer: who may open what, and with what the model is asked."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Any

from polly_htmx.access import Who
from polly_htmx.chat import Turn, asend_message, atake_turn, send_message
from polly_htmx.chat.database import in_database
from polly_htmx.chat.drafts import Answering
from polly_htmx.consumers.hooks import Hooked, call_hook, call_hooks
from polly_htmx.exceptions import NotAllowed, PollyError
from polly_htmx.hooks import hears_messages
from polly_htmx.models import Parrot, QueuedMessage, SmartConversation
from polly_htmx.signals import raised_at

logger = logging.getLogger(__name__)

ASKED = "get_parrot", "get_system_prompt", "get_context"
"""The hooks that say how a reply is to be written."""


class TurnTaker:
    """
    The hooks of a consumer, and the turns that are taken through them.

    The plain form, which has no socket, takes its turns this way too.
    """

    who = Who()
    key = ""
    conversation: SmartConversation
    actions: frozenset[str] = frozenset()
    """What a page may ask for."""

    # Hooks

    def authorise(self) -> Hooked[SmartConversation]:
        """
        Return the conversation with the public id ``self.key`` for ``self.who``.

        Asked before anything is read, joined or sent, again before each turn, and
        every few seconds. Raises SignInRequired, NotFound or NotAllowed.
        """
        raise NotImplementedError

    def get_parrot(self) -> Hooked[Parrot]:
        """Return the Parrot that answers the next turn."""
        return self.conversation.parrot

    def get_system_prompt(self) -> Hooked[str]:
        """Return what the model is told instead of the Parrot's character, or ""."""
        return ""

    def get_context(self) -> Hooked[str]:
        """Return what the model is told of this place, or "" for the stored text."""
        return ""

    def on_turn(self, turn: Turn) -> Hooked[None]:
        """
        Hear of a turn that this socket or form has taken.

        Not of one that waited first, which comes when this page may be gone: that is
        what the signal turn_taken is for.
        """

    def asks_the_site(self, action: str) -> bool:
        """Tell whether the site's own code is asked about what a page does."""
        if action not in {"send", "edit"}:
            return False
        return hears_messages() or any(map(self._has, [*ASKED, "on_turn"]))

    # Turns

    async def open_as(self, who: Who, key: str) -> None:
        """Take a person and a conversation's public id, and ask for permission."""
        self.who, self.key = who, key
        self.conversation = await call_hook(self.authorise)

    async def open_for(self, ask: Callable[[], Who], key: str) -> None:
        """See open_as(); for a person who has yet to be found by the database."""
        self.key = key
        if inspect.iscoroutinefunction(self.authorise):
            await self.open_as(await in_database(ask)(), key)
        else:  # Together: each change of threads costs as much as a query.
            await in_database(self._open)(ask)

    def _open(self, ask: Callable[[], Who]) -> None:
        """See open_for(); for an authorise() that is no coroutine."""
        self.who = ask()
        authorise: Any = self.authorise
        self.conversation = authorise()

    def require(self, action: str) -> None:
        """Raise NotAllowed for what this consumer takes from nobody."""
        if action not in self.actions:
            raise NotAllowed

    async def take_turn(self, text: str, nonce: str | None) -> Turn:
        """Take one turn in the opened conversation, with the hooks' results."""
        answering = await self._answering()
        turn = await atake_turn(
            self.conversation, text, who=self.who, nonce=nonce, **answering
        )
        await self._tell(turn)
        return turn

    async def send_message(self, text: str, nonce: str | None) -> Turn | QueuedMessage:
        """Take one turn as take_turn() does, or let the message wait for it."""
        answering = await self._answering()
        sent = await asend_message(
            self.conversation, text, who=self.who, nonce=nonce, **answering
        )
        if isinstance(sent, Turn):
            await self._tell(sent)
        return sent

    async def open_and_send(
        self, ask: Callable[[], Who], text: str, nonce: str | None
    ) -> Turn | QueuedMessage:
        """See open_for() and send_message(): both, in one change of threads if it can."""
        if self.asks_the_site("send") or inspect.iscoroutinefunction(self.authorise):
            await self.open_for(ask, self.key)
            return await self.send_message(text, nonce)

        def work() -> Turn | QueuedMessage:
            self._open(ask)
            return send_message(self.conversation, text, who=self.who, nonce=nonce)

        return await in_database(work)()

    async def _tell(self, turn: Turn) -> None:
        if not self._has("on_turn"):
            return
        try:
            await call_hook(self.on_turn, turn)
        except PollyError:
            raise
        except Exception as exc:  # noqa: BLE001  (a host's hook may raise anything)
            # The turn is stored and its reply begun: the page must hear of that.
            logger.error(  # noqa: TRY400  (a foreign text may hold anything)
                "on_turn failed fault=%s at=%s", type(exc).__name__, raised_at(exc)
            )

    async def _answering(self) -> Answering:
        """Return what the hooks say of the next reply."""
        if not any(map(self._has, ASKED)):
            return {}  # What a turn does by itself, without a change of threads.
        found = await call_hooks(*(getattr(self, name) for name in ASKED))
        parrot, instructions, context = found
        return {"parrot": parrot, "instructions": instructions, "context": context}

    def _has(self, hook: str) -> bool:
        """Tell whether a hook is the host's own."""
        own: Any = getattr(self, hook)
        return getattr(own, "__func__", own) is not getattr(TurnTaker, hook)
