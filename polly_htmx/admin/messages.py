"""Messages in the admin: records, for staff who may read what others wrote."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Left
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy as _, ngettext

from polly_htmx import access
from polly_htmx.admin.base import PER_PAGE, ModelAdmin, ReadOnly, may_read
from polly_htmx.chat import stop_reply
from polly_htmx.models import Feedback, Message

EXCERPT_CHARS = 80
OWN_PAGES = "polly_htmx_message_"
"""How the names of this class's own URLs begin."""


@admin.register(Message)
class MessageAdmin(ReadOnly, ModelAdmin):  # type: ignore[type-arg]
    """What was said. Only whole conversations are deleted: a message is a link."""

    list_display = (
        "sequence",
        "excerpt",
        "party",
        "status",
        "judged",
        "conversation",
        "created_at",
    )
    list_filter = ("party", "status", "feedback__good", "created_at")
    list_per_page = PER_PAGE
    list_select_related = ("conversation", "feedback")
    # Counting all rows beside those found would read a large table twice.
    show_full_result_count = False
    ordering = ("-pk",)
    search_fields = ("content", "=error")
    actions = ("stop_replies",)
    fieldsets = (
        (None, {"fields": ("conversation", "sequence", "party", "author", "content")}),
        (
            _("How it was answered"),
            {
                "fields": (
                    "status",
                    "version",
                    "instructions",
                    "context",
                    "error",
                    "finish_reason",
                    "reasoning",
                    "thought_seconds",
                )
            },
        ),
        (_("Feedback"), {"fields": ("judged", "comment")}),
        (
            _("Record"),
            {"fields": ("external_id", "created_at", "started_at", "finished_at")},
        ),
    )

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_read(request)

    def has_view_permission(self, request: HttpRequest, _obj: Any = None) -> bool:
        """Ask what the transcript asks: other rights on messages do not do."""
        return may_read(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """
        Deny it on a message's own pages, and leave it to the permission elsewhere.

        Without a message in the middle the rest of a conversation would go as well.
        But who deletes a user deletes the user's conversations, and is asked here.
        """
        match = request.resolver_match
        if match and (match.url_name or "").startswith(OWN_PAGES):
            return False
        return super().has_delete_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        messages: QuerySet[Message] = super().get_queryset(request)
        return messages.annotate(words=Left("content", EXCERPT_CHARS))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Leave the long texts where they are: the list shows their beginnings."""
        changelist = super().get_changelist_instance(request)
        long_texts = ("content", "reasoning", "instructions", "context")
        changelist.result_list = changelist.result_list.defer(*long_texts)
        return changelist

    def has_stop_permission(self, request: HttpRequest) -> bool:
        """Tell whether to offer the action; each reply's own right is asked later."""
        return request.user.has_perms(access.MAY_WRITE)

    @admin.action(description=_("Stop the selected replies"), permissions=["stop"])
    def stop_replies(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """End those that are still being written; their text stays."""
        chosen = Message.objects.running().filter(pk__in=queryset.values("pk"))
        replies = list(chosen.select_related("conversation"))
        for reply in replies:
            stop_reply(reply, who=access.who(request))
        text = ngettext(
            "%(count)d reply was told to stop.",
            "%(count)d replies were told to stop.",
            len(replies),
        )
        self.message_user(request, text % {"count": len(replies)})

    @admin.display(description=_("feedback"), ordering="feedback__good")
    def judged(self, message: Message) -> str:
        """Show what its reader thought of an answer."""
        given = _feedback_of(message)
        if given is None:
            return "-"
        return gettext("good") if given.good else gettext("bad")

    @admin.display(description=_("comment"))
    def comment(self, message: Message) -> str:
        """Show what its reader said of an answer."""
        given = _feedback_of(message)
        return given.comment if given else ""

    @admin.display(description=_("content"))
    def excerpt(self, message: Message) -> str:
        """Show the first words, which the queryset cut in the database."""
        return str(getattr(message, "words", ""))


def _feedback_of(message: Message) -> Feedback | None:
    return getattr(message, "feedback", None)
