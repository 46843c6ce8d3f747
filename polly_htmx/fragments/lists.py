"""Lists: a person's chats as they stand in a page, and what changes in them there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.translation import get_language

from polly_htmx.chat.listing import Listing
from polly_htmx.chat.search import Found
from polly_htmx.conf import conf
from polly_htmx.fragments.chats import listed_as
from polly_htmx.fragments.rendering import render
from polly_htmx.models import Parrot, SmartConversation

Place = Literal["side", "page", "archive"]
"""Where a list stands: beside a chat, or on a page of its own."""
Did = Literal["deleted", "restored", "archived", "unarchived", "pinned", "unpinned"]
"""What was done with a chat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatList:
    """A list as its templates see it."""

    place: Place = "page"
    current: SmartConversation | None = None
    """The chat that it stands beside."""
    page: str = ""
    """Names the page that it stands on, for its socket."""
    listing: Listing = field(default_factory=Listing)
    parrots: list[Parrot] = field(default_factory=list)
    """Those that a new chat may be with."""
    query: str = field(default="", repr=False)
    """What is looked for."""
    found: list[Found] | None = None
    """What was; None where nothing is looked for."""

    @property
    def htmx(self) -> int:
        """The version of htmx on the page, which decides the attributes' names."""
        return conf.HTMX_VERSION

    @property
    def socket(self) -> str:
        """The address of the socket of a list on a page of its own; "" for none."""
        if self.place == "side" or not self.page:
            return ""
        query = {**listed_as(self.page), "lang": get_language() or ""}
        if self.place == "archive":
            query["place"] = self.place
        return f"/{conf.WEBSOCKET_PREFIX.strip('/')}/list/?{urlencode(query)}"


def list_missed(
    chats: ChatList, conversation: SmartConversation, *, is_new: bool
) -> str:
    """Return the frame for a row that changed while the page's line was down."""
    context = {"conversation": conversation, "is_new": is_new}
    return _render("missed", chats, context)


def list_items(chats: ChatList) -> str:
    """Return a page of the list, to go on with where the one before ends."""
    return _render("items", chats)


def list_whole(chats: ChatList) -> str:
    """Return the first page of the list, or what was found, in the place of all."""
    return _render("whole", chats)


def list_form(
    chats: ChatList, conversation: SmartConversation, form: Any, request: HttpRequest
) -> str:
    """Return the form for a title in the place of a chat's row."""
    context = {"conversation": conversation, "form": form}
    return _render("rename", chats, context, request)


def list_renamed(chats: ChatList, conversation: SmartConversation) -> str:
    """Return a chat's row again in the place of that form."""
    return _render("renamed", chats, {"conversation": conversation})


def list_did(chats: ChatList, conversation: SmartConversation, did: Did) -> str:
    """
    Return what a list shows once something was done with one of its chats.

    In the place of a row that went elsewhere that is a line with the way back. What
    is pinned changes its place, so the whole list comes with it.
    """
    context = {"conversation": conversation, "did": did, "moved": conversation}
    if did in {"pinned", "unpinned"}:
        return _render("pinned", chats, {**context, "focus": "pin"})
    leaves = "unarchived" if chats.place == "archive" else "archived"
    if did not in {"deleted", leaves}:
        return _render("restored", chats, context)
    focus = "restore" if did == "deleted" else "archive"
    return _render("gone", chats, {**context, "focus": focus, "oob": "true"})


def list_gone(chats: ChatList, conversation: SmartConversation) -> str:
    """Return the frame that puts the way back in the place of a row, unless it is there.

    The page that has asked for it had its answer, and perhaps the focus is in it.
    """
    row = f"#polly-item-{conversation.external_id}"
    leaves = "unarchived" if chats.place == "archive" else "archived"
    context = {
        "conversation": conversation,
        "did": "deleted" if conversation.deleted_at else leaves,
        "oob": f"outerHTML:{row}:not(.polly-item--gone)",
    }
    return _render("gone", chats, context)


def list_changed(
    chats: ChatList,
    conversation: SmartConversation,
    *,
    is_new: bool = False,
    is_back: bool = False,
) -> str:
    """
    Return the frame that shows a chat's row as it is now.

    A new one comes on top, and one that is back takes the place of what list_gone()
    has put there.
    """
    row = f"#polly-item-{conversation.external_id}"
    context = {
        "conversation": conversation,
        "is_new": is_new,
        "gone": f"outerHTML:{row}.polly-item--gone" if is_back else "",
    }
    return _render("changed", chats, context)


def _render(
    name: str,
    chats: ChatList,
    context: Mapping[str, object] | None = None,
    request: HttpRequest | None = None,
) -> str:
    return render(f"list/{name}.html", {"list": chats, **(context or {})}, request)
