"""An answer while it is being written, and the rule when it counts as complete."""

from __future__ import annotations

from collections.abc import Iterator

from polly_htmx.conf import conf
from polly_htmx.llm import exceptions
from polly_htmx.llm.cleaning import Cleaner
from polly_htmx.llm.messages import (
    Ending,
    ProviderEvent,
    Reasoning,
    Reply,
    Text,
    ToolCall,
    Waking,
)


class Draft:
    """Gathers the events of one answer."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.ending: Ending | None = None
        self.full = False
        """Whether MAX_ANSWER_CHARS is reached."""
        self._room = conf.MAX_ANSWER_CHARS
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[ToolCall] = []
        self._cleaners: dict[type[Text | Reasoning], Cleaner] = {
            Text: Cleaner(),
            Reasoning: Cleaner(),
        }

    def take(
        self, event: ProviderEvent
    ) -> Iterator[Text | Reasoning | ToolCall | Waking]:
        """Take in what the provider sent, and give what may be passed on."""
        match event:
            case Text():
                yield from self._add(Text, self._cleaners[Text].feed(event.text))
            case Reasoning():
                cleaner = self._cleaners[Reasoning]
                yield from self._add(Reasoning, cleaner.feed(event.text))
            case ToolCall():
                self._calls.append(event)
                yield event
            case Waking():
                yield event
            case _:
                self.ending = event
                for kind, cleaner in self._cleaners.items():
                    yield from self._add(kind, cleaner.close())

    def _add(
        self, kind: type[Text | Reasoning], text: str
    ) -> Iterator[Text | Reasoning]:
        # Thoughts are not the answer, but they fill memory all the same.
        self.full = self.full or len(text) > self._room
        text = text[: self._room]
        self._room -= len(text)
        if text:
            (self._text if kind is Text else self._reasoning).append(text)
            yield kind(text)

    @property
    def reply(self) -> Reply:
        """Return the answer as far as it has come."""
        ending = self.ending
        reason = ending.finish_reason if ending else None
        return Reply(
            text="".join(self._text),
            model=self.model,
            finish_reason="cut" if self.full else reason,
            usage=ending.usage if ending else None,
            cost=ending.cost if ending else None,
            reasoning="".join(self._reasoning),
            tool_calls=tuple(self._calls),
            answered_by=ending.answered_by if ending else "",
        )

    def complete(self) -> Reply:
        """Return the whole answer, or raise what it lacks."""
        reply = self.reply
        if reply.finish_reason == "content_filter":
            raise exceptions.ContentRefused
        if not reply.text.strip() and not reply.tool_calls and not self.full:
            raise exceptions.EmptyAnswer
        if reply.finish_reason is None:
            raise exceptions.Interrupted
        return reply

    def worded(self, problem: exceptions.LLMError) -> exceptions.LLMError:
        """Return the problem as it looks from here: with text, a broken-off answer."""
        broke = isinstance(problem, (exceptions.Unavailable, exceptions.BadResponse))
        late = isinstance(problem, exceptions.TimedOut)
        if broke and not late and self._text:
            return exceptions.Interrupted()
        return problem
