"""Routes of the pages, under whatever prefix the host gives."""

from __future__ import annotations

from django.urls import path

from polly_htmx import views

app_name = "polly"

REPLY = "c/<uuid:conversation>/reply/<uuid:reply>"

urlpatterns = [
    path("", views.conversations, name="conversations"),
    path("c/<uuid:conversation>/", views.conversation, name="conversation"),
    path("c/<uuid:conversation>/send/", views.send, name="send"),
    path(
        "c/<uuid:conversation>/before/<int:sequence>/",
        views.earlier,
        name="earlier",
    ),
    path(f"{REPLY}/stop/", views.stop, name="stop"),
    path(f"{REPLY}/regenerate/", views.regenerate, name="regenerate"),
    path(f"{REPLY}/continue/", views.go_on, name="continue"),
    path("health/", views.health, name="health"),
]
