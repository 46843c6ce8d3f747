"""Tricks in the admin: a list of their own, and rows in the form of their Parrot."""

from __future__ import annotations

from django.contrib import admin

from polly_htmx.admin.base import PER_PAGE, ModelAdmin, TabularInline
from polly_htmx.models import Trick


@admin.register(Trick)
class TrickAdmin(ModelAdmin):  # type: ignore[type-arg]
    """What Parrots can do besides talk."""

    list_display = ("name", "parrot", "difficulty", "updated_at")
    list_filter = ("difficulty",)
    list_per_page = PER_PAGE
    list_select_related = ("parrot",)
    search_fields = ("name", "parrot__name")
    autocomplete_fields = ("parrot",)
    readonly_fields = ("external_id", "created_at", "updated_at")
    fields = ("parrot", "name", "difficulty", "description", *readonly_fields)


class TrickInline(TabularInline):  # type: ignore[type-arg]
    """The Tricks of one Parrot."""

    model = Trick
    extra = 0
    fields = ("name", "difficulty", "description")
