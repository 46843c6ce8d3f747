"""A view: how what happens in a conversation looks to pages of one kind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable
from copy import copy
from typing import Any, TypeVar

from django.utils import translation

from polly_htmx import fragments
from polly_htmx.chat import audience
from polly_htmx.chat.conversations import with_ids
from polly_htmx.chat.database import in_database
from polly_htmx.chat.events import ReplyGrew
from polly_htmx.chat.layer import group_name
from polly_htmx.consumers import steps
from polly_htmx.consumers.together import made, together
from polly_htmx.models import Message, SmartConversation

CROWD = 2
"""So many pages of one conversation in a process share what is read and rendered."""

Frames = list[str]
T = TypeVar("T")


class View:
    """Renders for one kind of page, and what several of them want only once."""

    def __init__(
        self,
        conversation: SmartConversation,
        *,
        reader: fragments.Reader,
        language: str,
    ) -> None:
        self.conversation = conversation
        self._room = group_name(conversation)
        # Pages of which these are alike are sent the same.
        self._sort = self._room, reader, language
        self._reader = reader
        self._language = language

    def _by_row(self, messages: list[Message]) -> Frames:
        reply = messages[0]
        if reply.is_running:
            # It may not be sent, so nothing of ours changes here.
            parcels = fragments.streaming_parcels
            return self._render(parcels, reply, **steps.stored(reply))
        return self._render(fragments.ended_parcels, reply, html=None)

    def _grown(self, reply: Message, event: ReplyGrew) -> Frames:
        grown = fragments.grew_parcels(event)
        if event.phase is None:
            return grown
        return [*self._render(fragments.phase_parcels, reply, event), *grown]

    async def _with_others(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """Read and render for all who want the same just now; a copy for each."""
        if audience.size(self._room) < CROWD:
            return await work()
        return await together((*self._sort, key), work)

    def _made(self, key: Hashable, make: Callable[[], Frames]) -> Frames:
        """Return the frames of an event, made once for all pages of one kind."""
        if audience.size(self._room) < CROWD:
            return make()
        return made((*self._sort, key), make)

    async def _rendered(
        self,
        ids: list[int | None],
        render: Callable[[list[Message]], Frames],
        rows: Iterable[Message] = (),
    ) -> tuple[list[Message], Frames]:
        """Load and render in a thread: a long text takes its time."""

        def work() -> tuple[list[Message], Frames]:
            found = [copy(row) for row in rows] or with_ids(self.conversation, ids)
            return found, render(found) if found else []

        return await in_database(work)()

    def _render(self, fragment: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        with translation.override(self._language):
            return fragment(self.conversation, *args, reader=self._reader, **kwargs)
