"""Conversations in the admin: whose they are, and a transcript to read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from polly_htmx.admin.base import PER_PAGE, ModelAdmin, ReadOnly, may_read
from polly_htmx.admin.filters import ParrotFilter, PersonFilter
from polly_htmx.admin.transcript import transcript_page
from polly_htmx.models import Message, SmartConversation

TRANSCRIPT = "polly_htmx_smartconversation_transcript"


@admin.register(SmartConversation)
class SmartConversationAdmin(ReadOnly, ModelAdmin):  # type: ignore[type-arg]
    """
    Sessions between a person and a Parrot.

    Titles, first words and context can repeat what people wrote: they are for
    staff who may read messages, like the transcript.
    """

    list_filter = ("answered_by", PersonFilter, ParrotFilter, "created_at")
    list_per_page = PER_PAGE
    list_select_related = ("parrot", "user")
    show_full_result_count = False
    # The chat page is its owner's only.
    view_on_site = False

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        words = ("shown_title", "transcript") if may_read(request) else ()
        return (
            "external_id",
            *words,
            "parrot",
            "person",
            "last_sequence",
            "updated_at",
        )

    def get_fieldsets(self, request: HttpRequest, _obj: Any = None) -> Any:
        words = ("transcript", "title", "context") if may_read(request) else ()
        rows = ("parrot", "person", "answered_by", "last_sequence")
        record = ("external_id", "slot", "created_at", "updated_at")
        return (
            (None, {"fields": (*words, *rows)}),
            (_("Record"), {"fields": record}),
        )

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Search by person, Parrot and public id; by title only for its readers."""
        name = get_user_model().USERNAME_FIELD
        words = ("title",) if may_read(request) else ()
        return (f"user__{name}", "parrot__name", "external_id", *words)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SmartConversation]:
        found = SmartConversation.objects.all()
        return found.with_opening() if may_read(request) else found

    def get_urls(self) -> list[Any]:
        page = self.admin_site.admin_view(self.transcript_view)
        own = path("<path:object_id>/transcript/", page, name=TRANSCRIPT)
        return [own, *super().get_urls()]

    def transcript_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what was said, to staff who may read it."""
        return transcript_page(self, request, object_id)

    def get_deleted_objects(self, objs: Any, _request: HttpRequest) -> Any:
        """
        Say what goes without a line for each message.

        Whoever may delete a conversation may delete what was said in it.
        """
        conversations = list(objs)
        messages = Message.objects.filter(conversation__in=conversations).count()
        counts = {
            SmartConversation._meta.verbose_name_plural: len(conversations),
            Message._meta.verbose_name_plural: messages,
        }
        return [str(each) for each in conversations], counts, set(), []

    @admin.display(description=_("title"))
    def shown_title(self, conversation: SmartConversation) -> str:
        return conversation.label

    @admin.display(description=_("person"), ordering="user")
    def person(self, conversation: SmartConversation) -> str:
        return str(conversation.user or _("Visitor"))

    @admin.display(description=_("transcript"))
    def transcript(self, conversation: SmartConversation) -> str:
        """Link to the page with what was said."""
        address = reverse(
            f"{self.admin_site.name}:{TRANSCRIPT}", args=[conversation.pk]
        )
        return format_html('<a href="{}">{}</a>', address, _("Read"))
