"""Chat: what the templates of a chat read, with or without a conversation behind it."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import get_language

from polly_htmx.access import Who
from polly_htmx.chat.composing import draft_of
from polly_htmx.chat.conversations import Page, newest_page, state_of
from polly_htmx.chat.slots import Slot, sign
from polly_htmx.chat.waiting import Waiting, waiting_in
from polly_htmx.conf import conf
from polly_htmx.exceptions import PollyError
from polly_htmx.models import Message, Parrot, SmartConversation, short

NO_PAGE = Page(messages=[], earlier=None)
NOTHING_WAITS = Waiting(messages=[])


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A chat as its templates see it, with or without a conversation behind it."""

    id: uuid.UUID
    parrot: Parrot
    title: str = ""
    placeholder: str = ""
    page: Page = NO_PAGE
    conversation: SmartConversation | None = None
    token: str = field(default="", repr=False)
    """Stands for the conversation until the first message makes it."""
    nonce: str = ""
    waiting: Waiting = NOTHING_WAITS
    listed: str = ""
    """Names the page if a list stands beside the chat, which its socket keeps up."""
    error: PollyError | None = None
    draft: str = field(default="", repr=False)

    @property
    def short_id(self) -> str:
        """Names what each message of this chat refers to: see short()."""
        return short(str(self.id))

    @property
    def htmx(self) -> int:
        """The version of htmx on the page, which decides the attributes' names."""
        return conf.HTMX_VERSION

    @property
    def limit(self) -> int:
        """The greatest number of characters that a message may have."""
        return conf.MAX_MESSAGE_CHARS

    @property
    def socket(self) -> str:
        """The socket's address, with what the page already shows."""
        if self.conversation is None:
            return ""
        query = {
            "from": self.page.start,
            "state": state_of(self.conversation),
            "lang": get_language() or "",
            **(listed_as(self.listed) if self.listed else {}),
        }
        prefix = conf.WEBSOCKET_PREFIX.strip("/")
        return f"/{prefix}/smart-gpt/{self.id}/?{urlencode(query)}"

    @property
    def newest(self) -> Message | None:
        """The newest message, None in an empty chat."""
        return self.page.messages[-1] if self.page.messages else None

    @property
    def is_running(self) -> bool:
        """Whether the newest message is a reply that is still being written."""
        return self.newest is not None and self.newest.is_running

    @property
    def is_closed(self) -> bool:
        """Whether the Parrot has retired and, as far as we know, nobody stands in."""
        return self.parrot.is_retired and type(conf).CONSUMER == conf.CONSUMER


def chat_of(conversation: SmartConversation, **fields: Any) -> Chat:
    """Return the chat of a conversation, with its newest messages."""
    return Chat(
        id=conversation.external_id,
        parrot=conversation.parrot,
        conversation=conversation,
        page=newest_page(conversation),
        waiting=waiting_in(conversation),
        **{"title": conversation.title, "nonce": new_nonce(), **fields},
    )


def chat_for(person: Who, conversation: SmartConversation, **fields: Any) -> Chat:
    """Return the chat of a conversation, with what this person has typed into it."""
    draft = draft_of(conversation, who=person)
    if draft is not None:
        # By the same nonce a draft that two devices send is one message.
        fields = {"draft": draft.text, "nonce": draft.nonce, **fields}
    return chat_of(conversation, **fields)


def chat_in(slot: Slot, parrot: Parrot, **fields: Any) -> Chat:
    """Return a chat that has no conversation yet."""
    return Chat(
        id=slot.conversation,
        parrot=parrot,
        token=sign(slot),
        nonce=new_nonce(),
        **{"title": slot.title, **fields},
    )


def listed_as(page: str) -> dict[str, str | int]:
    """Return what a socket's address says of a list: its page, and as of when it is."""
    return {"list": page, "at": int(time.time() * 1000)}


def new_nonce() -> str:
    """Return a fresh nonce: what a form sends with it counts once."""
    return uuid.uuid4().hex


def bare(conversation: SmartConversation) -> Chat:
    """Return the chat of a conversation without its messages, for a frame."""
    return Chat(
        id=conversation.external_id,
        parrot=conversation.parrot,
        conversation=conversation,
    )
