"""Messages: what can be opened beside one, and what changes when it is judged."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from polly_htmx.chat.about import About
from polly_htmx.exceptions import PollyError
from polly_htmx.fragments.chats import bare, new_nonce
from polly_htmx.fragments.rendering import Reader, frame, render
from polly_htmx.models import Message, Parrot, SmartConversation
from polly_htmx.models.feedback import COMMENT_CHARS


def about(
    message: Message, told: About, parrots: list[Parrot], request: HttpRequest
) -> SafeString:
    """Return what there is to know of an answer, and who else could be asked."""
    context = {"about": told, "parrots": parrots}
    return _panel("about", message, request, **context)


def edit_form(
    message: Message,
    request: HttpRequest,
    *,
    text: str | None = None,
    error: PollyError | None = None,
) -> SafeString:
    """Return the form in which a person writes a message anew."""
    return _panel(
        "edit",
        message,
        request,
        error=error,
        here=request.path,
        label=gettext("Edit your message"),
        name="message",
        opener=f"polly-edit-{message.external_id}",
        nonce=new_nonce(),
        text=message.content if text is None else text,
    )


def comment_form(
    message: Message, request: HttpRequest, *, error: PollyError | None = None
) -> SafeString:
    """Return the form in which a person says more about an answer."""
    given = message.thumb
    return _panel(
        "edit",
        message,
        request,
        error=error,
        here=request.path,
        label=gettext("What do you think of this answer?"),
        limit=COMMENT_CHARS,
        name="comment",
        opener=f"polly-say-{message.external_id}",
        send=gettext("Save"),
        text=given.comment if given else "",
    )


def feedback(message: Message) -> SafeString:
    """Return the thumbs beside an answer."""
    return render("chat/thumbs.html", {"chat": _chat(message), "message": message})


def commented(message: Message) -> SafeString:
    """Return what a page gets when it has sent a comment."""
    context = {"chat": _chat(message), "message": message}
    return render("frames/feedback.html", context)


def feedback_parcels(
    conversation: SmartConversation,
    messages: list[Message],
    *,
    reader: Reader = "owner",
) -> list[str]:
    """Return the frames that show what was said of answers; none for the staff."""
    if reader != "owner":
        return []
    return [frame("feedback", conversation, message=each) for each in messages]


def afresh(conversation: SmartConversation, *, reader: Reader = "owner") -> str:
    """Return the frame that has a page fetch its log anew."""
    return frame("afresh", conversation, reader=reader)


def _panel(
    template: str, message: Message, request: HttpRequest, **context: Any
) -> SafeString:
    context = {"chat": _chat(message), "message": message, **context}
    return render(f"chat/{template}.html", context, request)


def _chat(message: Message) -> Any:
    return bare(message.conversation)
