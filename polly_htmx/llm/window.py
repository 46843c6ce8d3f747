"""
The window: how much of a conversation fits into what a model reads at a time.

Whole turns are left out, the oldest first. The system prompt and the newest turn always
go, or nothing does. No text has more tokens than bytes in UTF-8, so most conversations
are known to fit without being counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from polly_htmx.conf import conf
from polly_htmx.llm import exceptions, local
from polly_htmx.llm.messages import ChatMessage
from polly_htmx.llm.model_type import Model

DEFAULT_WINDOW = 128_000
"""Tokens, where nobody knows the model's window. Whatever a person may send by the
default MAX_MESSAGE_CHARS fits in there, in any script."""
ANSWER = 4_096
"""Tokens kept free for an answer whose length no parameter limits."""
FRAME = 10
"""Tokens, at most, that a chat template puts around one message."""
TEMPLATE = 64
"""Tokens, at most, that it adds to the whole: some say who the model is."""
PART = 1_600
"""Tokens of a part that is no text, such as an image: what the dearest count for one."""
BYTES_PER_TOKEN = 8
"""More bytes than a token has on average in any text that people write. By this is
known what can't fit, so that it is neither read nor counted."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a model is told of a conversation, and what it isn't."""

    messages: list[ChatMessage]
    left_out: list[ChatMessage]


def window_of(model: Model) -> int:
    """Return how many tokens a model reads and writes at a time."""
    known: int | None = getattr(model, "context_window", None)
    if not model.file:
        return known or DEFAULT_WINDOW
    # The engine has one memory for all its slots, and each of them may be busy.
    share = (conf.LOCAL_CONTEXT or local.CONTEXT) // conf.LOCAL_SLOTS
    return min(known or share, share)


def room_for(model: Model, params: Mapping[str, Any]) -> int:
    """Return how many tokens a question may have, so that an answer fits behind it."""
    window = window_of(model)
    given = (params.get(name) for name in ("max_completion_tokens", "max_tokens"))
    limits = [limit for limit in given if isinstance(limit, int)]
    answer = min(limits[0] if limits else ANSWER, window // 2)
    return max(window - answer - TEMPLATE, 1)


def texts_of(message: ChatMessage) -> list[str]:
    """Return the texts of a message, whole or in parts."""
    content = message["content"]
    if isinstance(content, str):
        return [content]
    return [part["text"] for part in content if "text" in part]


def at_most(message: ChatMessage) -> int:
    """Return a number of tokens that a message has not more than."""
    return sum(len(text.encode()) for text in texts_of(message)) + around(message)


def around(message: ChatMessage) -> int:
    """Return the tokens of a message besides those of its texts, at most."""
    content = message["content"]
    others = 0 if isinstance(content, str) else len(content) - len(texts_of(message))
    return FRAME + others * PART


def possible(messages: Sequence[ChatMessage], room: int, *, first: int) -> int:
    """
    Return from which message on there is any chance to fit, newest last.

    ``first`` is where the history begins, behind the system prompt.
    """
    least = 0
    for index in range(len(messages) - 1, first - 1, -1):
        least += at_most(messages[index]) // BYTES_PER_TOKEN
        if least > room:
            return index + 1
    return first


def fit(
    messages: Sequence[ChatMessage], sizes: Sequence[int], room: int, *, kept: int = 0
) -> Fitted:
    """
    Leave out the oldest turns, so that the rest has no more tokens than there is room.

    ``sizes`` are the tokens of each message. The last one, with the ``kept`` entries
    before it, always goes. Raises ContextTooLong where that can't be.
    """
    head = has_system(messages)
    newest = max(head, len(messages) - 1 - kept)
    used = sum(sizes[:head]) + sum(sizes[newest:])
    if used > room:
        raise _too_long(sum(sizes[:head]), sizes[-1], room)
    first = newest
    for start in range(newest - 1, head - 1, -1):
        if start > head and messages[start]["role"] != "user":
            continue  # In the middle of a turn.
        used += sum(sizes[start:first])
        if used > room:
            break
        first = start
    told = [*messages[:head], *messages[first:]]
    return Fitted(told, list(messages[head:first]))


def has_system(messages: Sequence[ChatMessage]) -> int:
    """Return the number of system prompts: 0 or 1."""
    return int(messages[0]["role"] == "system")


def _too_long(system: int, newest: int, room: int) -> exceptions.LLMError:
    figures = f"system prompt {system}, message {newest}, room {room} tokens"
    if system > room // 2:
        return exceptions.NotConfigured(f"The prompt fills the window: {figures}.")
    if system + newest > room:
        return exceptions.MessageTooLongForModel(f"The message is too long: {figures}.")
    return exceptions.ContextTooLong(f"The answer is too long to go on: {figures}.")
