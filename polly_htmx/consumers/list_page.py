"""ListConsumer: the socket of a page that shows a person's list and no chat."""

from __future__ import annotations

import time
from typing import Any

from polly_htmx import access
from polly_htmx.access import Who
from polly_htmx.chat import dispatch
from polly_htmx.chat.database import in_database
from polly_htmx.chat.events import Event, ListChanged
from polly_htmx.consumers import rights, watch
from polly_htmx.consumers.counted import CountedLine
from polly_htmx.consumers.lists import ListFollower
from polly_htmx.consumers.outbox import Outbox
from polly_htmx.consumers.query import Query
from polly_htmx.exceptions import PollyError, TooManyFrames

KEY = "list"
"""What stands for a conversation's id in the element that connects."""


class ListConsumer(CountedLine):
    """Shows what changes in the list; such a page asks for nothing by its socket."""

    key = KEY
    beside = None
    waits = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.who = Who()
        self.list: ListFollower | None = None

    async def connect(self) -> None:
        dispatch.serve()
        query = Query.of(self.scope)
        self.language = query.language
        try:
            self.who = await in_database(self._ask)()
            await self.count()
        except PollyError as exc:
            await self.accept()
            await self.refuse(exc)
            return
        self.list = ListFollower(self, query)
        missed = await self.list.begin()
        await self.accept()
        for frame in missed:
            await self.send_frame(frame)
        watch.join(self, beside=rights.session(self))

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        if self.is_closed:
            return
        try:
            self.inbox.take(len(text_data or bytes_data or b""), time.monotonic())
        except TooManyFrames as exc:
            await self.refuse(exc)

    async def heard(self, event: Event) -> None:
        """Show a change; see Line."""
        if self.list is None or self.is_closed or not isinstance(event, ListChanged):
            return
        frame = await self.list.frame(event)
        if frame:
            # Such a page acknowledges nothing, and is sent a row now and then.
            self.outbox = Outbox()
            await self.send_frame(frame)

    async def recheck(self) -> None:
        """See that this page may still be here, and hears of changes."""
        try:
            self.who = await rights.who_is_there(self)
            access.require_owner(self.who)
        except PollyError as exc:
            await self.refuse(exc)
            return
        if self.list is not None:
            await self.list.again()

    async def poll(self) -> None:
        """Do nothing, for such a page waits for no answer; see the watch."""

    async def let_go(self) -> None:
        """See CountedLine."""
        if self.list is not None:
            await self.list.end()

    def _ask(self) -> Who:
        """Find out whose list it is; raises SignInRequired if nobody's."""
        person = access.who(self.scope)
        access.require_owner(person)
        return person
