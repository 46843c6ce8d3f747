"""Template tags: a chat, its assets, a transcript, and Markdown, in any page."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from django import template
from django.http import HttpRequest
from django.template import Context
from django.utils.safestring import SafeString

from polly_htmx import access, fragments
from polly_htmx.chat.conversations import conversation_in_slot, newest_page
from polly_htmx.chat.slots import Slot, slot_name
from polly_htmx.exceptions import NoParrot, NotFound, PollyError
from polly_htmx.markdown import render
from polly_htmx.models import Parrot, SmartConversation

logger = logging.getLogger(__name__)
register = template.Library()
register.filter("polly_markdown", render)

ASSETS_DONE = "_polly_assets_done"


@register.simple_tag(takes_context=True)
def polly_assets(context: Context, *, htmx: bool = True) -> str:
    """
    Render our stylesheets and scripts, once a page however often it is used.

    ``htmx=False`` leaves out htmx and its ws extension where the page has them.
    """
    request = _request(context)
    if getattr(request, ASSETS_DONE, False):
        return ""
    setattr(request, ASSETS_DONE, True)
    return fragments.assets(nonce=context.get("csp_nonce"), htmx=htmx)


@register.simple_tag(takes_context=True)
def polly_chat(
    context: Context,
    /,  # so that context= is free for what the Parrot is told
    *,
    parrot: Parrot | str | None = None,
    conversation: SmartConversation | None = None,
    title: str = "",
    placeholder: str = "",
    slot: str = "",
    **options: str,
) -> SafeString:
    """
    Render a chat in place.

    ``parrot`` is a Parrot or its name, by default the first one. ``conversation``
    shows that one; else the same person finds the chat again in the same ``slot``,
    by default the page's path with the Parrot. ``context`` is told to the Parrot.
    Nothing is stored before the first message.
    """
    request = _request(context)
    told = options.pop("context", "")
    if options:
        raise template.TemplateSyntaxError(f"polly_chat does not know {set(options)}.")
    looks = {"title": title, "placeholder": placeholder}
    try:
        chat = _chat(request, parrot, conversation, slot, told, looks)
    except PollyError as exc:
        logger.warning("chat not shown path=%r reason=%s", request.path, exc.code)
        return fragments.unavailable(exc, way_back=request.get_full_path())
    return fragments.chat(chat, request)


@register.simple_tag(takes_context=True)
def polly_transcript(context: Context, conversation: SmartConversation) -> SafeString:
    """Render the newest messages of a conversation, read only, for who may see them."""
    request = _request(context)
    try:
        _check_may_see(request, conversation)
    except PollyError as exc:
        return fragments.unavailable(exc, way_back=request.get_full_path())
    is_own = access.owns(access.who(request), conversation)
    reader: fragments.Reader = "owner" if is_own else "staff"
    page = newest_page(conversation)
    return fragments.transcript(conversation, page, reader=reader)


def _request(context: Context) -> HttpRequest:
    request = context.get("request")
    if not isinstance(request, HttpRequest):
        raise template.TemplateSyntaxError(
            "The tags of polly need the request: add "
            '"django.template.context_processors.request" to the context_processors.'
        )
    return request


def _chat(
    request: HttpRequest,
    parrot: Parrot | str | None,
    conversation: SmartConversation | None,
    slot: str,
    told: str,
    looks: dict[str, Any],
) -> fragments.Chat:
    person = access.who(request)
    access.require_person(person)
    if conversation is not None:
        if not access.owns(person, conversation):
            raise NotFound
        return fragments.chat_for(person, conversation, **looks)
    bird = _parrot(parrot)
    name = slot_name(slot or f"{request.path}#{bird.external_id}")
    found = conversation_in_slot(name, who=person)
    if found is not None:
        return fragments.chat_for(person, found, **looks)
    offered = Slot(
        conversation=uuid.uuid4(),
        parrot=bird.external_id,
        name=name,
        title=looks["title"],
        context=told,
    )
    return fragments.chat_in(offered, bird, **looks)


def _parrot(wanted: Parrot | str | None) -> Parrot:
    if isinstance(wanted, Parrot):
        return wanted
    parrots = Parrot.objects.active().order_by("pk")
    found = (parrots.filter(name=wanted) if wanted else parrots).first()
    if found is None:
        raise NoParrot
    return found


def _check_may_see(request: HttpRequest, conversation: SmartConversation) -> None:
    person = access.who(request)
    access.require_person(person)
    is_staff = access.may_read_as_staff(person) and conversation.deleted_at is None
    if not access.owns(person, conversation) and not is_staff:
        raise NotFound
