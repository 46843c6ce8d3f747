"""What a site writes: one link of the chain, and its way to say no."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TypeAlias

from django.utils.functional import Promise

from polly_htmx.access import Who
from polly_htmx.exceptions import Withheld
from polly_htmx.llm.messages import ChatMessage
from polly_htmx.models import Message, SmartConversation

Hooked: TypeAlias = str | Awaitable[str]
"""What a hook returns: a plain function the text itself, an async one a promise."""


class Veto(Withheld):
    """
    A hook says no. Raise it with a sentence for the person, translated.

    The sentence is shown for a message. For an answer one of ours is shown: only its
    code is stored with the reply.
    """

    def __init__(self, reason: str | Promise = "") -> None:
        super().__init__(reason)
        self.reason = reason


class Hook:
    """
    One link of the chain: derive from it, and name the class in POLLY["HOOKS"].

    The hooks are asked in the order of that list, each with what the one before it
    returned. Every method may be a plain or an async function. A plain one runs where
    the database may be used, and others wait for it meanwhile: what takes its time,
    such as a request to a service, should be async.

    One object serves the whole process, so nothing of a message or an answer may be
    kept in it.
    """

    whole = False
    """Whether answer() is asked about whole answers, instead of block() about parts.
    Nobody sees a word of any answer then until it has reached its end."""

    def message(
        self, text: str, *, conversation: SmartConversation, who: Who
    ) -> Hooked:
        """
        Return what is stored for a person's message; raise Veto to refuse it.

        Give the same for the same text: by that a message is known that is sent once
        more because nobody heard of its arrival.
        """
        return text

    def block(self, text: str, *, reply: Message) -> Hooked:
        """
        Return what is shown and stored for a part of an answer; raise Veto to end it.

        Parts end at blank lines outside of fenced code, and come without these: a
        paragraph, a heading, a whole piece of code, one entry of a loose list. What
        was shown before a veto stays.
        """
        return text

    def answer(self, text: str, *, reply: Message) -> Hooked:
        """
        Return what is shown and stored for a whole answer; raise Veto to withhold it.

        Of an answer that is continued this is the part that is new.
        """
        return text

    def summary(
        self, text: str, *, left_out: Sequence[ChatMessage], reply: Message
    ) -> Hooked:
        """
        Return what the model is told of the messages that don't fit into its window.

        ``left_out`` are the newest of them, the oldest first, each with its "role" and
        "content"; ``text`` is what the hooks before made of them. It goes at the end of
        the system prompt; "" for nothing. The model is asked only afterwards, and what
        this takes counts to the wait for its first word: better keep a summary than
        make one anew. If it fails, the answer goes on without.
        """
        return text
