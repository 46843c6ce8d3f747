"""History: what the model is told of a conversation before it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from polly_htmx.models import Message

MAX_MESSAGES = 200
"""Older messages are not sent. A window counted in tokens takes its place later."""

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
    """The person's newest message."""


def prompt_for(reply: Message) -> Prompt:
    """Gather what a pending reply is to answer, from rows alone."""
    version = reply.version
    if version is None:
        raise ValueError("A reply without a version of its Parrot can't be run.")
    path = Message.objects.path_to(reply.parent_id, limit=MAX_MESSAGES)
    *before, question = path
    system = reply.instructions or version.system_prompt
    return Prompt(
        model=version.model,
        system_prompt="\n\n".join(part for part in (system, reply.context) if part),
        parameters=version.parameters,
        history=[_entry(message) for message in before if message.content],
        text=question.content,
    )


def _entry(message: Message) -> dict[str, Any]:
    role = ROLES[Message.Party(message.party)]
    return {"role": role, "content": message.content}
