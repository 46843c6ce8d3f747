"""Lists: a person's chats as they stand in a page, and what changes in them there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from django.http import HttpRequest

from polly_htmx.chat.listing import Listing
from polly_htmx.chat.search import Found
from polly_htmx.fragments.rendering import render
from polly_htmx.models import Parrot, SmartConversation

Place = Literal["side", "page"]
"""Where a list stands: beside a chat, or on a page of its own."""
Did = Literal["deleted", "restored", "archived", "unarchived", "pinned", "unpinned"]
"""What was done with a chat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatList:
    """A list as its templates see it."""

    place: Place = "page"
    current: SmartConversation | None = None
    """The chat that it stands beside."""
    listing: Listing = field(default_factory=Listing)
    parrots: list[Parrot] = field(default_factory=list)
    """Those that a new chat may be with."""
    query: str = field(default="", repr=False)
    """What is looked for."""
    found: list[Found] | None = None
    """What was; None where nothing is looked for."""


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
    return _render("rename", chats, request, conversation=conversation, form=form)


def list_renamed(chats: ChatList, conversation: SmartConversation) -> str:
    """Return a chat's row again in the place of that form."""
    return _render("renamed", chats, conversation=conversation)


def list_did(chats: ChatList, conversation: SmartConversation, did: Did) -> str:
    """
    Return what a list shows once something was done with one of its chats.

    In the place of a row that went elsewhere that is a line with the way back. What
    is pinned changes its place, so the whole list comes with it.
    """
    context = {"conversation": conversation, "did": did, "moved": conversation}
    if did in {"pinned", "unpinned"}:
        return _render("pinned", chats, focus="pin", **context)
    return _render("restored" if did == "restored" else "gone", chats, **context)


def list_changed(
    chats: ChatList,
    conversation: SmartConversation,
    *,
    answered: bool = False,
    is_new: bool = False,
) -> str:
    """Return the frame that shows a chat's row as it is now; new ones come on top."""
    how = {"answered": answered, "is_new": is_new, "conversation": conversation}
    return _render("changed", chats, **how)


def list_removed(key: str) -> str:
    """Return the frame that takes a row away."""
    return render("list/removed.html", {"id": key}).strip()


def _render(
    name: str, chats: ChatList, request: HttpRequest | None = None, **context: Any
) -> str:
    return render(f"list/{name}.html", {"list": chats, **context}, request).strip()
