"""Fragments: events and chats as HTML; the only place that renders templates."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from polly_htmx.chat.conversations import Page, newest_page, state_of
from polly_htmx.chat.events import ReplyText
from polly_htmx.chat.slots import Slot, sign
from polly_htmx.conf import conf
from polly_htmx.exceptions import PollyError, SignInRequired
from polly_htmx.markdown import vouched
from polly_htmx.models import Message, Parrot, SmartConversation

STYLES = [
    f"polly_htmx/css/{name}.css"
    for name in (
        *("tokens", "tokens-code", "base", "prose", "log", "composer"),
        *("list", "page", "code", "guard"),
    )
]
"""Our stylesheets, in the order of their cascade."""

NO_PAGE = Page(messages=[], earlier=None)
Reader = Literal["owner", "staff"]
"""Whose eyes a fragment is for: to the owner, the owner's messages are "You"."""


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
    error: PollyError | None = None
    draft: str = field(default="", repr=False)

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
        }
        prefix = conf.WEBSOCKET_PREFIX.strip("/")
        return f"/{prefix}/smart-gpt/{self.id}/?{urlencode(query)}"

    @property
    def is_running(self) -> bool:
        """Whether the newest message is a reply that is still being written."""
        return bool(self.page.messages) and self.page.messages[-1].is_running


def chat_of(conversation: SmartConversation, **fields: Any) -> Chat:
    """Return the chat of a conversation, with its newest messages."""
    return Chat(
        id=conversation.external_id,
        parrot=conversation.parrot,
        conversation=conversation,
        page=newest_page(conversation),
        nonce=new_nonce(),
        **{"title": conversation.title, **fields},
    )


def chat_in(slot: Slot, parrot: Parrot, **fields: Any) -> Chat:
    """Return a chat that has no conversation yet."""
    return Chat(
        id=slot.conversation,
        parrot=parrot,
        token=sign(slot),
        nonce=new_nonce(),
        **{"title": slot.title, **fields},
    )


def new_nonce() -> str:
    """Return a fresh nonce: what a form sends with it counts once."""
    return uuid.uuid4().hex


def chat(chat: Chat, request: HttpRequest | None = None) -> SafeString:
    """Return a whole chat: log, line to the server, status and composer."""
    return _render("chat/chat.html", {"chat": chat}, request)


def assets(*, nonce: object, htmx: bool) -> SafeString:
    """Return the links of our stylesheets and scripts, with the page's CSP nonce."""
    return _render(
        "assets.html",
        {
            "csp_nonce": nonce,
            "htmx": htmx,
            "styles": STYLES,
            "version": conf.HTMX_VERSION,
        },
    )


def unavailable(exc: PollyError, *, way_back: str) -> SafeString:
    """Return what stands in the place of a chat that this person can't have."""
    return _render("chat/unavailable.html", _refusal(exc, way_back))


def transcript(
    conversation: SmartConversation, page: Page, *, reader: Reader = "owner"
) -> SafeString:
    """Return some messages of a conversation, read only."""
    context = {"chat": _bare(conversation), "page": page, "reader": reader}
    return _render("chat/transcript.html", context)


def earlier(conversation: SmartConversation, page: Page) -> SafeString:
    """Return an earlier page of messages, to take the place of its own link."""
    return _render("chat/page.html", {"chat": _bare(conversation), "page": page})


def turn(
    conversation: SmartConversation,
    messages: list[Message],
    *,
    reader: Reader = "owner",
) -> str:
    """Return the frame that adds a turn's messages to the log."""
    return _frame("turn", conversation, messages=messages, reader=reader)


def reply_begun(
    conversation: SmartConversation, reply: Message, event: ReplyText
) -> str:
    """Return the frame that turns a pending reply into a streaming one."""
    html = vouched(event.html)
    return _frame("article", conversation, message=reply, html=html)


def reply_text(event: ReplyText) -> str:
    """Return the frame with the text so far of a streaming reply."""
    context = {"reply": event.reply, "html": vouched(event.html)}
    return _render("frames/text.html", context).strip()


def reply_ended(conversation: SmartConversation, reply: Message) -> str:
    """Return the frame that shows how a reply ended."""
    return _frame("article", conversation, message=reply, ended=True)


def snapshot(
    conversation: SmartConversation,
    messages: list[Message],
    *,
    reader: Reader = "owner",
) -> str:
    """Return the frame that shows the newest messages afresh."""
    return _frame("snapshot", conversation, messages=messages, reader=reader)


def acknowledged(conversation: SmartConversation, nonce: str | None) -> str:
    """Return the frame that tells a page that its message is stored."""
    return _frame("acknowledged", conversation, acked=nonce or "", nonce=new_nonce())


def connected(
    conversation: SmartConversation, nonce: str | None, request: HttpRequest
) -> str:
    """Return what a page without a line gets for its first message: the line too."""
    context = {"chat": chat_of(conversation), "acked": nonce or ""}
    return _render("frames/connected.html", context, request).strip()


def error(key: uuid.UUID | str, exc: PollyError) -> str:
    """Return the frame that says what was wrong; what was typed stays."""
    return _render("frames/error.html", {"id": key, "error": exc}).strip()


def refused(key: uuid.UUID | str, exc: PollyError) -> str:
    """Return the frame that takes a page off the line and says why."""
    context = {"id": key, **_refusal(exc, _page_of(key))}
    return _render("frames/refused.html", context).strip()


def _page_of(key: uuid.UUID | str) -> str:
    try:
        return reverse("polly:conversation", args=[uuid.UUID(str(key))])
    except ValueError:
        return reverse("polly:conversations")


def _refusal(exc: PollyError, way_back: str) -> dict[str, Any]:
    login = resolve_url(conf.login_url())
    return {
        "error": exc,
        "sign_in": isinstance(exc, SignInRequired),
        "login_url": f"{login}?{urlencode({REDIRECT_FIELD_NAME: way_back})}",
    }


def _bare(conversation: SmartConversation) -> Chat:
    return Chat(
        id=conversation.external_id,
        parrot=conversation.parrot,
        conversation=conversation,
    )


def _frame(name: str, conversation: SmartConversation, **context: Any) -> str:
    context = {"reader": "owner", "chat": _bare(conversation), **context}
    return _render(f"frames/{name}.html", context).strip()


def _render(
    name: str, context: Mapping[str, Any], request: HttpRequest | None = None
) -> SafeString:
    context = {"reader": "owner", **context}
    return render_to_string(f"polly_htmx/{name}", context, request)
