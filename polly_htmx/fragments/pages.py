"""Pages: a chat, its assets and a transcript, as they stand in a page."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.safestring import SafeString

from polly_htmx.chat.conversations import Page
from polly_htmx.conf import conf
from polly_htmx.fragments.chats import Chat, bare
from polly_htmx.fragments.rendering import Reader, render
from polly_htmx.models import SmartConversation

STYLES = ["polly_htmx/polly.css"]
"""Our stylesheets: one, made of its parts by scripts/styles.py."""


def chat(chat: Chat, request: HttpRequest | None = None) -> SafeString:
    """Return a whole chat: log, line to the server, status and composer."""
    return render("chat/chat.html", {"chat": chat}, request)


def assets(*, nonce: object, htmx: bool) -> SafeString:
    """Return the links of our stylesheets and scripts, with the page's CSP nonce."""
    return render(
        "assets.html",
        {
            "csp_nonce": nonce,
            "htmx": htmx,
            "styles": STYLES,
            "version": conf.HTMX_VERSION,
        },
    )


def transcript(
    conversation: SmartConversation, page: Page, *, reader: Reader = "owner"
) -> SafeString:
    """Return some messages of a conversation, read only."""
    context = {"chat": bare(conversation), "page": page, "reader": reader}
    return render("chat/transcript.html", {**context, "read_only": True})


def earlier(
    conversation: SmartConversation, page: Page, *, read_only: bool = False
) -> SafeString:
    """Return an earlier page of messages, to take the place of its own link."""
    context = {"chat": bare(conversation), "page": page, "read_only": read_only}
    return render("chat/page.html", context)
