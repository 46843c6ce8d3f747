"""The transcript: a conversation as staff read it, in pages, without any script."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext

from polly_htmx import fragments
from polly_htmx.admin.base import may_read
from polly_htmx.chat.conversations import Page, newest_page, page_before
from polly_htmx.models import SmartConversation

TEMPLATE = "polly_htmx/admin/transcript.html"
MAX_DIGITS = 9
"""Sequence numbers have no more; the database refuses much longer ones."""


def transcript_page(
    admin: ModelAdmin[Any], request: HttpRequest, object_id: str
) -> HttpResponse:
    """Return the transcript's page, or raise PermissionDenied or Http404."""
    if not admin.has_view_permission(request) or not may_read(request):
        raise PermissionDenied
    conversation = admin.get_object(request, object_id)
    if conversation is None:
        raise Http404
    page = _page(conversation, request.GET.get("before"))
    context = {
        **admin.admin_site.each_context(request),
        "title": gettext("Transcript"),
        "conversation": conversation,
        "opts": admin.opts,
        "polly_styles": fragments.STYLES,
        "is_newest": "before" not in request.GET,
        "earlier": page.earlier,
        # The fragment's own link leads to the owner's pages.
        "transcript": fragments.transcript(
            conversation, replace(page, earlier=None), reader="staff"
        ),
    }
    # So that the links stay in this admin site, where a project has several.
    request.current_app = admin.admin_site.name
    response = TemplateResponse(request, TEMPLATE, context)
    patch_cache_control(response, private=True, no_store=True)
    return response


def _page(conversation: SmartConversation, before: str | None) -> Page:
    if before is None:
        return newest_page(conversation)
    if not before.isascii() or not before.isdigit() or len(before) > MAX_DIGITS:
        raise Http404
    return page_before(conversation, int(before))
