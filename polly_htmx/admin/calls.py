"""Calls to models in the admin: what they took and cost, never what was said."""

from __future__ import annotations

from django.contrib import admin

from polly_htmx.admin.base import PER_PAGE, ModelAdmin, ReadOnly
from polly_htmx.models import ModelCall


@admin.register(ModelCall)
class ModelCallAdmin(ReadOnly, ModelAdmin):  # type: ignore[type-arg]
    """A record: nobody adds, changes or deletes what was paid for."""

    list_display = (
        "created_at",
        "model",
        "purpose",
        "user",
        "input_tokens",
        "output_tokens",
        "cost",
        "exactness",
        "seconds",
        "error",
    )
    list_filter = ("purpose", "exactness", "model", "created_at")
    list_per_page = PER_PAGE
    list_select_related = ("user",)
    show_full_result_count = False
    ordering = ("-pk",)
    search_fields = ("=model", "=answered_by", "=error")

    def has_delete_permission(self, _request: object, _obj: object = None) -> bool:
        return False
