"""What has changed between two moments of a text that grows."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.safestring import SafeString

NOTHING = SafeString()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a page must do to show what a text has grown to."""

    closed: SafeString = NOTHING
    """Blocks that will not change any more; they go before the tail. See parts.py."""
    tail: SafeString | None = None
    """The whole open block anew; None if it only grew, or did not change."""
    kind: str = ""
    """How it grew: "item", "row", "line" or "sentence"; else nothing."""
    grown: SafeString = NOTHING
    """Finished pieces, which go before the open piece."""
    open: SafeString | None = None
    """What is in the open piece, anew; None if that did not change."""

    @property
    def size(self) -> int:
        """How many characters of HTML it has."""
        parts = (self.closed, self.tail, self.grown, self.open)
        return sum(len(part) for part in parts if part)
