"""History: what the model is told of a conversation before it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from polly_htmx.llm import estimates, window
from polly_htmx.llm.exceptions import NotConfigured
from polly_htmx.llm.model_type import resolve
from polly_htmx.models import Message, ParrotVersion

PAGE = 100
"""Messages that are read at a time, the newest first, until the window is full."""
MOST = 1_000
"""Messages that are read, and walked over to be counted, at most."""

GO_ON = (
    "Your last answer broke off. Go on exactly where it ends, even within a word. "
    "Repeat nothing of it, and say nothing about having been interrupted."
)
"""What the model is asked for the rest of an answer: for the model, so in English."""

ROLES = {
    Message.Party.USER: "user",
    Message.Party.ASSISTANT: "assistant",
    Message.Party.STAFF: "assistant",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """All that a model is asked with for one reply."""

    model: str
    system_prompt: str
    parameters: dict[str, Any]
    fallbacks: list[str]
    history: list[dict[str, Any]]
    text: str
    """The person's newest message, or GO_ON."""
    unread: int = 0
    """Older messages, which can't fit into the model's window and were not read."""

    @property
    def is_rest(self) -> bool:
        """Whether the rest of an answer is asked for."""
        return self.text is GO_ON


@dataclass(slots=True)
class _Said:
    """What was said before a reply, the newest last, as far as it may fit."""

    entries: list[tuple[str, str]]
    unread: int = 0


def prompt_for(reply: Message) -> Prompt:
    """
    Gather what a pending reply is to answer, from rows alone.

    Of a reply that has a text already, because it is continued, the rest is asked for.
    """
    version = reply.version
    if version is None:
        raise ValueError("A reply without a version of its Parrot can't be run.")
    said = _said_before(reply, version.model)
    before = [_entry(party, content) for party, content in said.entries if content]
    if reply.content.strip():
        before, text = [*before, _entry(reply.party, reply.content)], GO_ON
    else:
        text = before.pop()["content"]
    system = reply.instructions or version.system_prompt
    return Prompt(
        model=version.model,
        system_prompt="\n\n".join(part for part in (system, reply.context) if part),
        parameters=_parameters(reply, version),
        fallbacks=version.fallbacks,
        history=before,
        text=text,
        unread=said.unread,
    )


def _parameters(reply: Message, version: ParrotVersion) -> dict[str, Any]:
    """Return the Parrot's parameters, with the limit that a daily cap sets."""
    given: dict[str, Any] = version.parameters
    if reply.reserved_output is None:
        return given
    try:
        model = resolve(version.model)
    except NotConfigured:
        return given
    return estimates.limited(model, given, reply.reserved_output)


def _said_before(reply: Message, model: str) -> _Said:
    if "parent" in reply._state.fields_cache:
        question = reply.parent
        if question is not None and question.parent_id is None:
            # The first words of a chat.
            return _Said([(question.party, question.content)])
    room, leaf = _readable(model), reply.parent_id
    said: list[tuple[str, str]] = []
    while leaf and room > 0 and len(said) < MOST:
        page = Message.objects.said_before(leaf, limit=PAGE)
        leaf = page[0][2]
        said[:0] = [(party, content) for party, content, _parent in page]
        room -= sum(len(content.encode()) + window.FRAME for _party, content, _ in page)
    unread = Message.objects.count_before(leaf, limit=MOST) if leaf else 0
    return _Said(said, unread)


def _readable(model: str) -> int:
    """Return how many bytes of a conversation may fit into a model's window."""
    try:
        tokens = window.window_of(resolve(model))
    except NotConfigured:
        tokens = (
            window.DEFAULT_WINDOW
        )  # What is wrong with it is told when it is asked.
    return tokens * window.BYTES_PER_TOKEN


def _entry(party: str, content: str) -> dict[str, Any]:
    return {"role": ROLES[Message.Party(party)], "content": content}
