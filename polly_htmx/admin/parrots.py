"""Parrots in the admin: their character, their Tricks, and the way to retirement."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy as _, ngettext

from polly_htmx.admin.base import PER_PAGE, ModelAdmin
from polly_htmx.admin.filters import ModelFilter, RetiredFilter
from polly_htmx.admin.forms import ParrotForm, model_label
from polly_htmx.admin.tricks import TrickInline
from polly_htmx.models import Parrot

PARAMETERS = (
    ("temperature", "top_p"),
    ("max_tokens", "seed"),
    ("reasoning_effort", "stop"),
)
"""Parameters that have a field of their own, as rows of the form."""


@admin.register(Parrot)
class ParrotAdmin(ModelAdmin):  # type: ignore[type-arg]
    """Instances of an LLM with a character. They retire, they never vanish."""

    form = ParrotForm
    inlines = (TrickInline,)
    list_display = ("name", "shown_color", "age", "shown_model", "is_active")
    list_filter = (RetiredFilter, ModelFilter)
    list_per_page = PER_PAGE
    search_fields = ("name",)
    actions = ("retire", "bring_back")
    readonly_fields = ("external_id", "retired_at", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("name", "color", "age")}),
        (
            _("Answers"),
            {"fields": ("model", "fallbacks", "system_prompt", "shows_thinking")},
        ),
        (_("Parameters"), {"fields": (*PARAMETERS, "parameters")}),
        (_("Caps of a day"), {"fields": (("daily_tokens", "daily_cost"),)}),
        (_("An empty chat"), {"fields": ("greeting", "starters")}),
        (_("Record"), {"fields": readonly_fields}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show who may only look the parameters as they are stored: no form's fields."""
        may_edit = self.has_change_permission if obj else self.has_add_permission
        if may_edit(request, *([obj] if obj else [])):
            return self.fieldsets
        return [
            (
                title,
                {
                    "fields": [
                        each for each in shown["fields"] if each not in PARAMETERS
                    ]
                },
            )
            for title, shown in self.fieldsets
        ]

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody: conversations and replies say who answered, and must go on to."""
        return False

    @admin.display(description=_("colour"), ordering="color")
    def shown_color(self, parrot: Parrot) -> str:
        """Show the colour as a dot, by an attribute that needs no inline style."""
        return format_html(
            '<svg width="14" height="14" viewBox="0 0 2 2" role="img" '
            'aria-label="{0}"><circle cx="1" cy="1" r="1" fill="{0}"/></svg>',
            parrot.color,
        )

    @admin.display(description=_("model"), ordering="model")
    def shown_model(self, parrot: Parrot) -> str:
        return model_label(parrot.model)

    @admin.display(description=_("active"), boolean=True, ordering="retired_at")
    def is_active(self, parrot: Parrot) -> bool:
        return not parrot.is_retired

    @admin.action(description=_("Retire the chosen Parrots"), permissions=["change"])
    def retire(self, request: HttpRequest, parrots: QuerySet[Parrot]) -> None:
        """Let Parrots take no new conversations and messages."""
        done = self._set_retired(
            request,
            parrots.filter(retired_at__isnull=True),
            timezone.now(),
            gettext("Retired."),
        )
        text = ngettext(
            "%(count)s Parrot has retired.", "%(count)s Parrots have retired.", done
        )
        self.message_user(request, text % {"count": done})

    @admin.action(
        description=_("Bring the chosen Parrots back"), permissions=["change"]
    )
    def bring_back(self, request: HttpRequest, parrots: QuerySet[Parrot]) -> None:
        """Let retired Parrots talk again."""
        done = self._set_retired(
            request,
            parrots.filter(retired_at__isnull=False),
            None,
            gettext("Brought back."),
        )
        text = ngettext(
            "%(count)s Parrot is back.", "%(count)s Parrots are back.", done
        )
        self.message_user(request, text % {"count": done})

    def _set_retired(
        self,
        request: HttpRequest,
        parrots: QuerySet[Parrot],
        when: datetime | None,
        note: str,
    ) -> int:
        """Set the time of retirement, and write it down in each Parrot's history."""
        chosen = list(parrots)
        for parrot in chosen:
            self.log_change(request, parrot, note)
        return Parrot.objects.filter(pk__in=[parrot.pk for parrot in chosen]).update(
            retired_at=when, updated_at=timezone.now()
        )
