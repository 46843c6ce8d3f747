"""URLs of the tests' host site."""

from __future__ import annotations

import uuid

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import engines
from django.urls import include, path

from polly_htmx import views
from polly_htmx.conf import conf
from polly_htmx.models import SmartConversation
from tests import readme


def host_page(request: HttpRequest) -> HttpResponse:
    """Show a page of the host's own, with chats in the middle."""
    return render(request, "host_page.html")


def refused_page(
    request: HttpRequest, refusal: str, conversation: uuid.UUID
) -> HttpResponse:
    """Show a chat whose socket will be refused: what changes, changes after it."""
    response = views.conversation(request, conversation)
    if refusal == "sign-in":
        request.session.flush()
    else:
        found = SmartConversation.objects.filter(external_id=conversation)
        found.update(user=User.objects.create_user("another"))
    return response


def unsafe_page(request: HttpRequest, conversation: uuid.UUID) -> HttpResponse:
    """Show messages as no site should: as they are, without a policy."""
    found = SmartConversation.objects.get(external_id=conversation)
    response = render(request, "unsafe.html", {"messages": found.messages.all()})
    # An empty policy, lest the middleware adds its own.
    response["Content-Security-Policy"] = ""
    return response


def own_htmx_page(request: HttpRequest) -> HttpResponse:
    """Show a page that loads htmx itself, by the README's snippet."""
    snippet = readme.own_htmx(conf.HTMX_VERSION) + "{% polly_chat %}"
    return HttpResponse(engines["django"].from_string(snippet).render({}, request))


urlpatterns = [
    path("host/", host_page),
    path("own-htmx/", own_htmx_page),
    path("refused/<slug:refusal>/<uuid:conversation>/", refused_page),
    path("unsafe/<uuid:conversation>/", unsafe_page, name="unsafe"),
    path("accounts/login/", auth_views.LoginView.as_view(), name="login"),
    path("accounts/logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("polly/", include("polly_htmx.urls")),
]
