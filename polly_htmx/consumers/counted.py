"""CountedLine: a socket that counts among its person's, and may be refused."""

from __future__ import annotations

from typing import Any

from polly_htmx import fragments
from polly_htmx.access import Who
from polly_htmx.chat.database import in_database
from polly_htmx.chat.sockets import close_socket, open_socket
from polly_htmx.consumers import closing, watch
from polly_htmx.consumers.line import Line
from polly_htmx.consumers.rights import Proof
from polly_htmx.exceptions import PollyError


class CountedLine(Line):
    """A line of somebody who may have so many; the watch asks it again and again."""

    who: Who
    key: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._counted: Who | None = None
        self.proof: Proof | None = None
        """Who was behind it when it was asked last."""

    async def count(self) -> None:
        """Count among the sockets of ``self.who``; raises TooManySockets."""
        await in_database(open_socket)(self.who)
        self._counted = self.who

    async def let_go(self) -> None:
        """Let go of what a subclass has taken; called once, however the socket ended."""
        raise NotImplementedError

    async def tidy_up(self) -> None:
        """See Line."""
        watch.leave(self)
        try:
            await self.let_go()
        finally:
            # Whoever it was counted for, though it may be somebody else's by now.
            counted, self._counted = self._counted, None
            if counted is not None:
                await in_database(close_socket)(counted)

    async def refuse(self, exc: PollyError) -> None:
        """Take the page off the line, in a way that no htmx tries again."""
        watch.leave(self)
        await self.send_fragment(fragments.refused, self.key, exc)
        await self.hang_up(closing.code_for(exc))
