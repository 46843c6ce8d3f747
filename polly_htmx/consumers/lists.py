"""A person's list of chats on a page: what changed in it goes over a socket."""

from __future__ import annotations

from typing import Protocol

from django.utils import timezone, translation

from polly_htmx import access, fragments
from polly_htmx.access import Who
from polly_htmx.chat import posts
from polly_htmx.chat.audience import Listener
from polly_htmx.chat.database import in_database
from polly_htmx.chat.events import ListChanged
from polly_htmx.chat.listing import row_of
from polly_htmx.chat.lists import PersonalList, list_of
from polly_htmx.models import SmartConversation


class ListListener(Listener, Protocol):
    """The socket of a page with a list."""

    who: Who
    language: str

    @property
    def beside(self) -> SmartConversation | None:
        """The chat that the list stands beside; None where it has its own page."""


class ListFollower:
    """
    Keeps one page's list up: names, new chats, and marks where an answer came.

    Rows stay where they are, for a list that moves under the pointer is worse than one
    whose order is that of a moment ago.
    """

    def __init__(self, listener: ListListener, page: str) -> None:
        self._who = listener.who
        self._current = listener.beside
        self._listener = listener
        self._language = listener.language
        self._page = page
        self._list: PersonalList | None = list_of(listener.who)
        self._begun = timezone.now()
        self._added: set[str] = set()
        self._answered: set[str] = set()

    async def begin(self) -> None:
        """Hear of changes from now on."""
        if self._list is not None:
            await posts.follow(self._list, self._listener)

    async def again(self) -> None:
        """Join anew, for a channel layer may have forgotten us."""
        if self._list is not None and not posts.hears(self._list):
            await posts.follow(self._list, self._listener, again=True)

    async def end(self) -> None:
        """Hear no more; harmless if nothing was heard."""
        if self._list is not None:
            await posts.unfollow(self._list, self._listener)

    async def frame(self, event: ListChanged) -> str:
        """Return what the page must do; "" for nothing."""
        if event.page == self._page:
            # It has its answer, or soon will: htmx 2 can't use that any more once
            # the button that has asked is gone.
            return ""
        return await in_database(self._frame)(event)

    def _frame(self, event: ListChanged) -> str:
        place: fragments.Place = "page" if self._current is None else "side"
        chats = fragments.ChatList(place=place, current=self._current)
        row = row_of(access.conversations_of(self._who), event.conversation)
        gone = row or row_of(access.deleted_by(self._who), event.conversation)
        with translation.override(self._language):
            if row is not None and row.archived_at is None:
                return self._changed(chats, row, event)
            return fragments.list_gone(chats, gone) if gone is not None else ""

    def _changed(
        self, chats: fragments.ChatList, row: SmartConversation, event: ListChanged
    ) -> str:
        is_new = row.created_at > self._begun and event.conversation not in self._added
        if is_new:
            self._added.add(event.conversation)
        if event.answered:
            self._answered.add(event.conversation)
        return fragments.list_changed(
            chats,
            row,
            # A title that comes after the answer takes its mark away from nobody.
            answered=event.conversation in self._answered and row != self._current,
            is_new=is_new,
            is_back=event.is_back,
        )
