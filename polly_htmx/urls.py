"""Routes of the pages, under whatever prefix the host gives."""

from __future__ import annotations

from django.urls import path

from polly_htmx import views

app_name = "polly"

urlpatterns = [
    path("", views.conversations, name="conversations"),
    path("c/<uuid:conversation>/", views.conversation, name="conversation"),
    path("c/<uuid:conversation>/send/", views.send, name="send"),
    path(
        "c/<uuid:conversation>/before/<int:sequence>/",
        views.earlier,
        name="earlier",
    ),
]
