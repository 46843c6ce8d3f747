"""History: what the model is told of a conversation before it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from polly_htmx.models import Message

MAX_MESSAGES = 200
"""Older messages are not sent. A window counted in tokens takes its place later."""

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
    history: list[dict[str, Any]]
    text: str
    """The person's newest message, or GO_ON."""


def prompt_for(reply: Message) -> Prompt:
    """
    Gather what a pending reply is to answer, from rows alone.

    Of a reply that has a text already, because it is continued, the rest is asked for.
    """
    version = reply.version
    if version is None:
        raise ValueError("A reply without a version of its Parrot can't be run.")
    said = _said_before(reply)
    if reply.content.strip():
        before, text = _alternating([*said, (reply.party, reply.content)]), GO_ON
    else:
        *before, question = _alternating(said)
        text = question["content"]
    system = reply.instructions or version.system_prompt
    return Prompt(
        model=version.model,
        system_prompt="\n\n".join(part for part in (system, reply.context) if part),
        parameters=version.parameters,
        history=before,
        text=text,
    )


def _said_before(reply: Message) -> list[tuple[str, str]]:
    if "parent" in reply._state.fields_cache:
        question = reply.parent
        if question is not None and question.parent_id is None:
            return [(question.party, question.content)]  # The first words of a chat.
    return Message.objects.said_before(reply.parent_id, limit=MAX_MESSAGES)


def _alternating(said: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """
    Return the entries that have a text, neighbours of one role made into one.

    After a reply that failed without a word two questions stand in a row, and the
    chat templates of several models refuse that.
    """
    entries: list[dict[str, Any]] = []
    for party, content in said:
        role = ROLES[Message.Party(party)]
        if not content:
            continue
        if entries and entries[-1]["role"] == role:
            entries[-1]["content"] += f"\n\n{content}"
        else:
            entries.append({"role": role, "content": content})
    return entries
