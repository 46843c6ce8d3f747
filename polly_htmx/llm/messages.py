"""Value types that pass between a model and those who talk to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

Content = str | Sequence[Mapping[str, Any]]
"""What is sent: a text, or parts such as {"type": "text", "text": "..."}."""

ChatMessage = dict[str, Any]
"""One entry of a history: {"role": "user" | "assistant", "content": Content}."""

FinishReason = Literal["stop", "length", "tool_calls", "cut"]
"""How an answer ended. "cut" is ours: it had passed MAX_ANSWER_CHARS."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """How many tokens an answer took."""

    input_tokens: int
    output_tokens: int
    exact: bool
    """Whether the provider said so; otherwise litellm estimated it."""
    cached_input_tokens: int = 0
    """Those of the input that the provider had in its cache: often cheaper."""
    reasoning_tokens: int = 0
    """Those of the output that went into thoughts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolCall:
    """The model asks for a tool to be called."""

    id: str
    name: str
    arguments: str
    """JSON as the model wrote it, which may be no JSON at all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An answer, whole or as far as it came."""

    text: str = ""
    model: str = ""
    """Name of the model: a member of LLMModelType or a key of POLLY["MODELS"]."""
    finish_reason: str | None = None
    """See FinishReason; None while the answer runs, or where it broke off."""
    usage: Usage | None = None
    cost: Decimal | None = None
    """US dollars by the provider's price list, or None where that is unknown."""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    answered_by: str = ""
    """The model that the provider says has answered, "" where it does not say."""


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of what the model thinks before it answers."""

    text: str


@dataclass(frozen=True, slots=True)
class Waking:
    """The model is loaded before it can answer; that takes a moment, once."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is complete: the last event."""

    reply: Reply


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """
    What a provider says at the end of its stream.

    ``finish_reason`` is None when it said nothing: then the answer is not
    complete, however good the text looks.
    """

    finish_reason: str | None
    usage: Usage | None = None
    cost: Decimal | None = None
    answered_by: str = ""
    """See Reply."""


Event = Waking | Text | Reasoning | ToolCall | Finished
"""What an invoker's stream of events yields."""

ProviderEvent = Waking | Text | Reasoning | ToolCall | Ending
"""What an invoker gets from its provider."""


def without_system(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """Return the messages with the system prompt before the first question's text."""
    system, *others = messages
    if system["role"] != "system" or not others:
        return list(messages)
    first, *rest = others
    prompt, content = system["content"], first["content"]
    if isinstance(content, str):
        content = f"{prompt}\n\n{content}"
    else:
        content = [{"type": "text", "text": prompt}, *content]
    return [{**first, "content": content}, *rest]
