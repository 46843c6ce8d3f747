"""What a person does with a chat in the list: by htmx in place, else by a way back."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_http_methods, require_POST

from polly_htmx import access, fragments
from polly_htmx.chat import shelf
from polly_htmx.forms import TitleForm
from polly_htmx.models import SmartConversation
from polly_htmx.views.access import person_required
from polly_htmx.views.lists import MAX_PAGE, is_swap, list_for


@require_http_methods(["GET", "HEAD", "POST"])
@person_required
def rename(request: HttpRequest, conversation: uuid.UUID) -> HttpResponse:
    """Show the form for a chat's title; on POST take the title."""
    who = access.who(request)
    found = access.open_conversation(who, conversation)
    form = TitleForm(
        request.POST if "title" in request.POST else None,
        initial={"title": found.title},
    )
    keeps = "keep" in request.POST
    if keeps or form.is_valid():
        if not keeps:
            shelf.rename(found, form.cleaned_data["title"], who=who)
        if is_swap(request):
            return HttpResponse(fragments.list_renamed(list_for(request), found))
        return redirect(found)
    chats = list_for(request)
    if is_swap(request):
        return HttpResponse(fragments.list_form(chats, found, form, request))
    context = {"list": chats, "conversation": found, "form": form}
    return render(request, "polly_htmx/rename.html", context)


@require_POST
@person_required
def pin(request: HttpRequest, conversation: uuid.UUID) -> HttpResponse:
    """Keep a chat above the others, or no more."""
    who, pinned = access.who(request), bool(request.POST.get("pinned"))
    found = access.open_conversation(who, conversation)
    shelf.pin(found, who=who, pinned=pinned, page=_page(request))
    return _done(request, found, "pinned" if pinned else "unpinned")


@require_POST
@person_required
def archive(request: HttpRequest, conversation: uuid.UUID) -> HttpResponse:
    """Put a chat out of the way, or back into the list."""
    who, archived = access.who(request), bool(request.POST.get("archived"))
    found = access.open_conversation(who, conversation)
    shelf.archive(found, who=who, archived=archived, page=_page(request))
    return _done(request, found, "archived" if archived else "unarchived")


@require_POST
@person_required
def delete(request: HttpRequest, conversation: uuid.UUID) -> HttpResponse:
    """Delete a chat; what comes then offers to take that back."""
    who = access.who(request)
    found = access.open_conversation(who, conversation)
    shelf.delete(found, who=who, page=_page(request))
    key = str(found.external_id)
    address = f"{reverse('polly:conversations')}?{urlencode({'deleted': key})}"
    if not is_swap(request):
        return redirect(address)
    if request.POST.get("current") == key:
        # The page around it is gone with it.
        return HttpResponse(headers={"HX-Redirect": address})
    return _done(request, found, "deleted")


@require_POST
@person_required
def restore(request: HttpRequest, conversation: uuid.UUID) -> HttpResponse:
    """Take the deletion of a chat back."""
    who = access.who(request)
    found = shelf.restore(conversation, who=who, page=_page(request))
    if is_swap(request):
        return _done(request, found, "restored")
    return redirect(found)


def _done(
    request: HttpRequest, found: SmartConversation, did: fragments.Did
) -> HttpResponse:
    if is_swap(request):
        return HttpResponse(fragments.list_did(list_for(request), found, did))
    page = request.headers.get("Referer", "")
    hosts = {request.get_host()}
    if not url_has_allowed_host_and_scheme(page, allowed_hosts=hosts):
        page = reverse("polly:conversations")
    return redirect(page)


def _page(request: HttpRequest) -> str:
    """Return what names the asking page, if its answer shows there what was done."""
    return request.POST.get("page", "")[:MAX_PAGE] if is_swap(request) else ""
