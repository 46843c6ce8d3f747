"""Versions: where a message stands among those that share its place."""

from __future__ import annotations

import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """
    A message among its siblings: other answers to one question, or other wordings.

    For messages of which there is more than one version; the ids are public ones.
    """

    number: int
    """From 1, in the order in which they were written."""
    count: int
    first: uuid.UUID
    """The oldest, which names the place whatever is shown there."""
    previous: uuid.UUID | None
    next: uuid.UUID | None
