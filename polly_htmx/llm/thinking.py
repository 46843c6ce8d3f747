"""Thinking in line: some servers leave a model's thoughts at the head of its answer."""

from __future__ import annotations

from collections.abc import Iterator

from polly_htmx.llm.messages import Ending, ProviderEvent, Reasoning, Text

OPEN, CLOSE = "<think>", "</think>"


class ThoughtSplitter:
    """
    Takes ``<think>…</think>`` off the head of an answer that comes in pieces.

    Only there: further down it is what the model says.
    """

    def __init__(self) -> None:
        self._held = ""
        self._split = self._at_head

    @property
    def is_through(self) -> bool:
        """Whether all that comes is the answer, and may pass as it is."""
        return self._split == self._through

    def take(self, event: ProviderEvent) -> Iterator[ProviderEvent]:
        """Take one event of the provider's, and yield what is certain by now."""
        if isinstance(event, Text):
            self._held += event.text
            yield from self._split()
            return
        if isinstance(event, Ending):
            yield from self._close()
        yield event

    def _close(self) -> Iterator[Text | Reasoning]:
        held, self._held = self._held, ""
        if held:
            yield Reasoning(held) if self._split == self._inside else Text(held)

    def _at_head(self) -> Iterator[Text | Reasoning]:
        begun = self._held.lstrip()
        if not begun or (len(begun) < len(OPEN) and OPEN.startswith(begun)):
            return
        if begun.startswith(OPEN):
            self._held, self._split = begun.removeprefix(OPEN), self._inside
        else:
            self._split = self._through
        yield from self._split()

    def _inside(self) -> Iterator[Text | Reasoning]:
        thought, mark, rest = self._held.partition(CLOSE)
        if mark:
            self._held, self._split = rest, self._behind
        else:
            kept = _begun(thought)
            self._held = thought[len(thought) - kept :]
            thought = thought[: len(thought) - kept]
        if thought:
            yield Reasoning(thought)
        if mark:
            yield from self._split()

    def _behind(self) -> Iterator[Text | Reasoning]:
        # The blank lines between thoughts and answer belong to neither.
        self._held = self._held.lstrip()
        if self._held:
            self._split = self._through
            yield from self._split()

    def _through(self) -> Iterator[Text | Reasoning]:
        piece, self._held = self._held, ""
        if piece:
            yield Text(piece)


def _begun(text: str) -> int:
    """Return how many of the last characters may be the beginning of the mark."""
    most = min(len(CLOSE) - 1, len(text))
    return next((n for n in range(most, 0, -1) if text.endswith(CLOSE[:n])), 0)
