"""URLs: a way in, the admin, and a page that reads session, user and database."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

PAGE = "{{ request.user }}: {% for user in users %}{{ user.username }} {% endfor %}"


def page(request: HttpRequest) -> HttpResponse:
    """Show something of the database to a person."""
    context = {"users": User.objects.all()[:30]}
    template = engines["django"].from_string(PAGE)
    return HttpResponse(template.render(context, request))


urlpatterns = [
    path("accounts/login/", views.LoginView.as_view(), name="login"),
    path("admin/", admin.site.urls),
    path("page/", page),
]
