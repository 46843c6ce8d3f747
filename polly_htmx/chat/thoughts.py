"""Thoughts: what a model does before its first word, on its way to the screens."""

from __future__ import annotations

import time
from dataclasses import dataclass

from polly_htmx.chat.events import Phase
from polly_htmx.markdown import VerbatimStream, verbatim
from polly_htmx.models import Message

GAP = "\n\n"
"""Between what was thought before a reply broke off, and what is thought after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a page must be told of a running reply besides its words: see ReplyGrew."""

    thought: str = ""
    opens: bool = False
    phase: Phase | None = None
    relabels: bool = False


NO_NEWS = News()


class Thoughts:
    """
    One running reply's thoughts, and whether it is waking, thinking or writing.

    Hidden ones are kept in ``text``, but no event ever holds a piece of them.
    """

    def __init__(self, reply: Message) -> None:
        self.text = reply.reasoning
        self.phase: Phase = ""
        self._hidden = not reply.shows_thinking
        self._stream = VerbatimStream(self.text)
        self._gap = GAP if self.text else ""
        self.told: Phase = ""
        """The phase that pages show."""
        self._is_open = bool(self.text) and not self._hidden
        self._spoke = False
        # What was thought in a run that died has taken nobody knows how long.
        is_known = not self.text or reply.thought_seconds is not None
        self._took = float(reply.thought_seconds or 0) if is_known else None
        self._since: float | None = None

    def wake(self) -> None:
        """Hear that the model is being loaded."""
        if not self._spoke:
            self.phase = "waking"

    def think(self, piece: str) -> None:
        """Take the next piece; "" for one that nobody may ever see."""
        if not self._spoke:
            self.phase = "thinking"
            self._since = self._since or time.monotonic()
        # Models send line ends before the first thought, which is no thought.
        if not self.text or self._gap:
            piece = piece.lstrip()
        if piece:
            self.text += self._gap + piece
            self._gap = ""

    def speak(self) -> bool:
        """Hear that the model has begun to answer; tell if that is new to pages."""
        self._stop_clock()
        self.phase, self._spoke = "", True
        return bool(self.told)

    @property
    def seconds(self) -> int | None:
        """For how long it thought, to the last word of it; None if nobody knows."""
        return round(self._took) if self.text and self._took is not None else None

    def _stop_clock(self) -> None:
        since, self._since = self._since, None
        if since is not None and self._took is not None:
            self._took += time.monotonic() - since

    @property
    def has_news(self) -> bool:
        """Whether pages lack something of it."""
        return self.phase != self.told or self._stream.lacks(self.text)

    def news(self) -> News:
        """Return what pages lack, which counts as told from now on."""
        piece = str(self._stream.feed(self.text))
        thought = "" if self._hidden else piece
        opens = bool(thought) and not self._is_open
        is_same = self.phase == self.told and not opens
        relabels = self._is_open and not is_same
        self._is_open, self.told = self._is_open or opens, self.phase
        phase = None if is_same else self.phase
        return News(thought=thought, opens=opens, phase=phase, relabels=relabels)

    def end(self) -> News | None:
        """
        Return what pages lack at the reply's end.

        None where they have no place for it yet, and must be shown the reply whole.
        The phase is None unless pages show that the model thinks.
        """
        self._stop_clock()
        thought = self._stream.feed(self.text, is_whole=True)
        if self._hidden:
            return NO_NEWS
        if thought and not self._is_open:
            return None
        was_thinking = self._is_open and self.told == "thinking"
        return News(thought=str(thought), phase="" if was_thinking else None)

    def so_far(self) -> str:
        """Return what pages have been told of the thoughts, as one piece of HTML."""
        return "" if self._hidden else str(verbatim(self._stream.shown(self.text)))
