"""Filters of the lists, each with few choices however many rows there are."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from polly_htmx.admin.forms import model_label
from polly_htmx.models import Parrot

MOST = 50
"""Choices at the most; the search finds the rest."""


class RetiredFilter(SimpleListFilter):
    """Parrots that take conversations, or those that have retired."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, _request: HttpRequest, _admin: ModelAdmin[Any]) -> Any:
        return [("active", _("Active")), ("retired", _("Retired"))]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        return queryset.filter(retired_at__isnull=self.value() != "retired")


class ModelFilter(SimpleListFilter):
    """Parrots by their model, of those that Parrots have."""

    title = _("model")
    parameter_name = "model"

    def lookups(self, _request: HttpRequest, _admin: ModelAdmin[Any]) -> Any:
        names = Parrot.objects.order_by("model").values_list("model", flat=True)
        return [(name, model_label(name)) for name in names.distinct()[:MOST]]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(model=self.value()) if self.value() else queryset


class ParrotFilter(SimpleListFilter):
    """Rows by their Parrot; by its public id, as numbers break when they are wrong."""

    title = _("Parrot")
    parameter_name = "parrot"

    def lookups(self, _request: HttpRequest, _admin: ModelAdmin[Any]) -> Any:
        parrots = Parrot.objects.only("external_id", "name").order_by("name", "pk")
        return [(str(parrot.external_id), parrot.name) for parrot in parrots[:MOST]]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = {str(key) for key, _name in self.lookup_choices}
        if self.value() not in known:
            return queryset
        return queryset.filter(parrot__external_id=self.value())


class PersonFilter(SimpleListFilter):
    """Conversations of users, or of visitors without an account."""

    title = _("person")
    parameter_name = "person"

    def lookups(self, _request: HttpRequest, _admin: ModelAdmin[Any]) -> Any:
        return [("user", _("User")), ("visitor", _("Visitor"))]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        return queryset.filter(user__isnull=self.value() == "visitor")
