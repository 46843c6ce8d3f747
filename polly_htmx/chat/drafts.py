"""Drafts: what a person wants to say, checked before it becomes a message."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TypedDict

from polly_htmx import access
from polly_htmx.access import Who
from polly_htmx.conf import conf
from polly_htmx.exceptions import BadFrame, BlankMessage, MessageTooLong
from polly_htmx.markdown import clean_text
from polly_htmx.models import Message, Parrot, SmartConversation

NONCE = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Answering(TypedDict, total=False):
    """How a reply is to be written; stored with it."""

    parrot: Parrot | None
    """Who answers instead of the conversation's own Parrot."""
    instructions: str
    """What the model is told instead of the Parrot's character."""
    context: str
    """What it is told after that, instead of the conversation's context."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A text on its way into a conversation."""

    conversation: SmartConversation
    text: str
    who: Who
    nonce: str | None
    place_of: Message | None = None
    """The message that it takes the place of; None for the end of the path."""
    in_line: bool = False
    """Whether it goes behind those that wait already."""
    answering: Answering = field(default_factory=Answering)

    @property
    def parrot(self) -> Parrot:
        """Who is to answer."""
        return self.answering.get("parrot") or self.conversation.parrot

    def checked(self) -> Draft:
        """
        Return the draft with its text well-formed, if this person may send it.

        Raises NotFound or NotAllowed, BlankMessage, MessageTooLong, or BadFrame for a
        nonce that no page makes.
        """
        if self.place_of is not None:
            access.check_may_edit(self.who, self.place_of)
        access.check_may_write(self.who, self.conversation)
        if self.nonce and not NONCE.fullmatch(self.nonce):
            raise BadFrame("a nonce that no page makes")
        return self.saying(self.text)

    def saying(self, text: str) -> Draft:
        """Return the draft with another text, which is checked."""
        text = clean_text(text)
        if not text.strip():
            raise BlankMessage
        if len(text) > conf.MAX_MESSAGE_CHARS:
            raise MessageTooLong(len(text), conf.MAX_MESSAGE_CHARS)
        return replace(self, text=text)

    def is_stored_as(self, message: Message) -> bool:
        """Tell whether a message with this draft's nonce says the same, there."""
        there = self.place_of is None or message.parent_id == self.place_of.parent_id
        return there and message.content == self.text
