"""What all sockets of a conversation share: ask, follow, take turns, send frames."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils import translation

from polly_htmx import access, fragments
from polly_htmx.access import Who
from polly_htmx.chat import Turn, atake_turn, dispatch, layer
from polly_htmx.chat.conversations import missed_since, with_ids
from polly_htmx.chat.events import (
    Event,
    ReplyEnded,
    ReplyText,
    TurnTaken,
    from_dict,
)
from polly_htmx.consumers.frames import Frame, parse
from polly_htmx.consumers.hooks import Hooked, call_hook
from polly_htmx.exceptions import (
    AccessDenied,
    BadFrame,
    NotFound,
    PollyError,
    SignInRequired,
)
from polly_htmx.models import Message, Parrot, SmartConversation

logger = logging.getLogger(__name__)

SIGN_IN_CLOSE = 4401
NOT_FOUND_CLOSE = 4404
BAD_FRAMES_CLOSE = 4408
MAX_BAD_FRAMES = 30
"""Unreadable frames in a row after which a socket is closed."""
MAX_DIGITS = 10
"""Sequence numbers have fewer; Python takes its time over very long ones."""


class ConversationConsumer(AsyncWebsocketConsumer):
    """
    A socket that follows one conversation and sends HTML fragments to htmx.

    Subclasses say who may open it in authorise(), and may override the hooks
    get_parrot(), get_system_prompt(), get_context() and on_turn(). Hooks may be
    plain or async functions; plain ones run in a thread and may use the database.
    """

    actions = frozenset({"send"})
    """What the page may ask for; a subclass may take some away."""
    reader: fragments.Reader = "owner"
    """Whose eyes the messages are rendered for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.who = Who()
        self.key = ""
        self.conversation: SmartConversation
        self.language = translation.get_language() or "en"
        self.bad_frames = 0
        self.following = False
        self.streaming: int | None = None

    # Hooks

    def authorise(self) -> Hooked[SmartConversation]:
        """
        Return the conversation with the public id ``self.key`` for ``self.who``.

        Asked before anything is read, joined or sent, and again before each turn.
        Raises SignInRequired, NotFound or NotAllowed.
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
        """Hear of a turn that this socket or form has taken."""

    # Turns: also the way of the plain form, which has no socket

    async def open_as(self, who: Who, key: str) -> None:
        """Take a person and a conversation's public id, and ask for permission."""
        self.who, self.key = who, key
        self.conversation = await call_hook(self.authorise)

    async def take_turn(self, text: str, nonce: str | None) -> Turn:
        """Take one turn in the opened conversation, with the hooks' results."""
        turn = await atake_turn(
            self.conversation,
            text,
            who=self.who,
            nonce=nonce,
            parrot=await call_hook(self.get_parrot),
            instructions=await call_hook(self.get_system_prompt),
            context=await call_hook(self.get_context),
        )
        await call_hook(self.on_turn, turn)
        return turn

    # The socket's life

    async def connect(self) -> None:
        dispatch.serve()
        query = parse_qs(self.scope.get("query_string", b"").decode("latin-1"))
        self.language = _language(query, self.language)
        key = self.scope["url_route"]["kwargs"]["conversation"]
        try:
            who = await database_sync_to_async(access.who)(self.scope)
            await self.open_as(who, key)
        except AccessDenied as exc:
            await self.accept()
            await self._refuse(exc)
            return
        # First the group, then the rows: what happens in between is heard twice
        # rather than not at all.
        await layer.follow(self.conversation, self.channel_name)
        self.following = True
        await self.accept()
        await self._catch_up(query)

    async def disconnect(self, code: int) -> None:
        if self.following:
            await layer.unfollow(self.conversation, self.channel_name)

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        try:
            frame = parse(text_data)
            if frame.action not in self.actions:
                raise BadFrame("an unknown action")
            self.bad_frames = 0
            await self._send_message(frame)
        except (SignInRequired, NotFound) as exc:
            await self._refuse(exc)
        except PollyError as exc:
            await self._complain(exc)

    async def polly_event(self, message: dict[str, Any]) -> None:
        """Send what happened in the conversation to the page."""
        for frame in await self._frames(from_dict(message["event"])):
            await self.send(text_data=frame)

    # Helpers

    async def _send_message(self, frame: Frame) -> None:
        who = await database_sync_to_async(access.who_now)(self.scope)
        await self.open_as(who, self.key)
        await self.take_turn(frame.message, frame.nonce)
        await self._send(fragments.acknowledged, self.conversation, frame.nonce)

    async def _complain(self, exc: PollyError) -> None:
        """Show what is wrong; close after too many frames that no page would send."""
        await self._send(fragments.error, self.key, exc)
        if not isinstance(exc, BadFrame):
            return
        self.bad_frames += 1
        if self.bad_frames == 1:
            logger.info("bad frame conversation=%s fault=%s", self.key, exc)
        if self.bad_frames > MAX_BAD_FRAMES:
            await self.close(BAD_FRAMES_CLOSE)

    async def _refuse(self, exc: AccessDenied) -> None:
        """Take the page off the line, in a way that no htmx tries again."""
        code = SIGN_IN_CLOSE if isinstance(exc, SignInRequired) else NOT_FOUND_CLOSE
        await self._send(fragments.refused, self.key, exc)
        await self.close(code)

    async def _catch_up(self, query: dict[str, list[str]]) -> None:
        """Send what the page may have missed since it was made."""
        state, start = query.get("state", [""])[0], query.get("from", ["0"])[0]
        sequence = int(start) if start.isdecimal() and len(start) < MAX_DIGITS else 0
        messages = await database_sync_to_async(missed_since)(
            self.conversation, state, sequence
        )
        if messages:
            await self._send(
                fragments.snapshot, self.conversation, messages, reader=self.reader
            )

    async def _frames(self, event: Event) -> list[str]:
        match event:
            case TurnTaken(message_id=message_id, reply_id=reply_id):
                messages = await self._load(message_id, reply_id)
                return [
                    self._render(
                        fragments.turn, self.conversation, messages, reader=self.reader
                    )
                ]
            case ReplyText(reply_id=reply_id) if reply_id == self.streaming:
                return [self._render(fragments.reply_text, event)]
            case ReplyText(reply_id=reply_id):
                # Its first frame on this socket: the article changes its status.
                self.streaming = reply_id
                messages = await self._load(reply_id)
                return [
                    self._render(fragments.reply_begun, self.conversation, reply, event)
                    for reply in messages
                ]
            case ReplyEnded(reply_id=reply_id):
                messages = await self._load(reply_id)
                return [
                    self._render(fragments.reply_ended, self.conversation, reply)
                    for reply in messages
                ]

    async def _load(self, *ids: int | None) -> list[Message]:
        return await database_sync_to_async(with_ids)(self.conversation, ids)

    async def _send(
        self, fragment: Callable[..., str], *args: Any, **kwargs: Any
    ) -> None:
        await self.send(text_data=self._render(fragment, *args, **kwargs))

    def _render(self, fragment: Callable[..., str], *args: Any, **kwargs: Any) -> str:
        with translation.override(self.language):
            return fragment(*args, **kwargs)


def _language(query: dict[str, list[str]], default: str) -> str:
    """Return the language of the page, which it names in the socket's address."""
    wanted = query.get("lang", [default])[0]
    try:
        return translation.get_supported_language_variant(wanted)
    except LookupError:
        return default
