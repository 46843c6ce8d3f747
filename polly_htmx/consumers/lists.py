"""A person's list of chats on a page: what changed in it goes over a socket."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from django.utils import timezone, translation

from polly_htmx import access, fragments
from polly_htmx.access import Who
from polly_htmx.chat import posts
from polly_htmx.chat.audience import Listener
from polly_htmx.chat.database import in_database
from polly_htmx.chat.events import ListChanged
from polly_htmx.chat.listing import moved_since, row_of
from polly_htmx.chat.lists import PersonalList, list_of
from polly_htmx.consumers.query import Query
from polly_htmx.models import SmartConversation

FRESH = timedelta(seconds=5)
"""A page that connects within it has missed nothing that is worth a query."""


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

    def __init__(self, listener: ListListener, query: Query) -> None:
        self._who = listener.who
        self._current = listener.beside
        self._listener = listener
        self._language = listener.language
        self._page, self._at = query.listed, query.at
        self._is_archive = query.is_archive and listener.beside is None
        self._list: PersonalList | None = list_of(listener.who)
        self._begun = timezone.now()
        self._added: set[str] = set()

    async def begin(self) -> list[str]:
        """Hear of changes from now on; return what shows those since the page was made."""
        if self._list is None:
            return []
        await posts.follow(self._list, self._listener)
        if self._at is None or self._begun - self._at < FRESH:
            return []
        return await in_database(self._missed)(self._at)

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

    def _missed(self, at: datetime) -> list[str]:
        """Return a frame for each row with something new, the oldest first."""
        moved = moved_since(self._who, at, archived=self._is_archive)
        with translation.override(self._language):
            return [self._row_missed(row, at) for row in reversed(moved)]

    def _row_missed(self, row: SmartConversation, at: datetime) -> str:
        is_new = self._came(row) > at and row != self._current
        return fragments.list_missed(self._chats(), row, is_new=is_new)

    def _chats(self) -> fragments.ChatList:
        place: fragments.Place = "page" if self._current is None else "side"
        if self._is_archive:
            place = "archive"
        return fragments.ChatList(place=place, current=self._current)

    def _came(self, row: SmartConversation) -> datetime:
        """Return when a chat came into this list."""
        return (self._is_archive and row.archived_at) or row.created_at

    def _frame(self, event: ListChanged) -> str:
        chats = self._chats()
        row = row_of(access.conversations_of(self._who), event.conversation)
        gone = row or row_of(access.deleted_by(self._who), event.conversation)
        with translation.override(self._language):
            if row is not None and bool(row.archived_at) == self._is_archive:
                return self._changed(chats, row, event)
            if self._is_archive and row is not None:
                self._added.discard(event.conversation)  # It may come once more.
            return fragments.list_gone(chats, gone) if gone is not None else ""

    def _changed(
        self, chats: fragments.ChatList, row: SmartConversation, event: ListChanged
    ) -> str:
        came = self._came(row) > self._begun
        is_new = came and event.conversation not in self._added
        if is_new:
            self._added.add(event.conversation)
            if self._is_archive:  # Perhaps in the place of a line with its way back.
                return fragments.list_missed(chats, row, is_new=True)
        is_back = event.is_back or self._is_archive
        return fragments.list_changed(chats, row, is_new=is_new, is_back=is_back)
