"""Routes of the pages, under whatever prefix the host gives."""

from __future__ import annotations

from django.urls import path

from polly_htmx import views

app_name = "polly"

MESSAGE = "c/<uuid:conversation>/message/<uuid:message>"
REPLY = "c/<uuid:conversation>/reply/<uuid:reply>"
QUEUED = "c/<uuid:conversation>/queue/<uuid:queued>"

urlpatterns = [
    path("", views.conversations, name="conversations"),
    path("search/", views.search, name="search"),
    path("archived/", views.archived, name="archived"),
    path("c/<uuid:conversation>/rename/", views.rename, name="rename"),
    path("c/<uuid:conversation>/pin/", views.pin, name="pin"),
    path("c/<uuid:conversation>/archive/", views.archive, name="archive"),
    path("c/<uuid:conversation>/delete/", views.delete, name="delete"),
    path("c/<uuid:conversation>/restore/", views.restore, name="restore"),
    path("c/<uuid:conversation>/", views.conversation, name="conversation"),
    path("c/<uuid:conversation>/send/", views.send, name="send"),
    path(
        "c/<uuid:conversation>/before/<int:sequence>/",
        views.earlier,
        name="earlier",
    ),
    path("c/<uuid:conversation>/afresh/", views.afresh, name="afresh"),
    path(f"{MESSAGE}/", views.about, name="message"),
    path(f"{MESSAGE}/source/", views.source, name="source"),
    path(f"{MESSAGE}/edit/", views.edit, name="edit"),
    path(f"{MESSAGE}/comment/", views.comment, name="comment"),
    path(f"{MESSAGE}/feedback/<str:verdict>/", views.feedback, name="feedback"),
    path(
        "c/<uuid:conversation>/message/<uuid:reply>/switch/",
        views.switch,
        name="switch",
    ),
    path(f"{REPLY}/stop/", views.stop, name="stop"),
    path(f"{REPLY}/regenerate/", views.regenerate, name="regenerate"),
    path(f"{REPLY}/continue/", views.go_on, name="continue"),
    path("c/<uuid:conversation>/draft/", views.draft, name="draft"),
    path(f"{QUEUED}/take-back/", views.unqueue, name="unqueue"),
    path(f"{QUEUED}/send/", views.go, name="release"),
    path("health/", views.health, name="health"),
]
