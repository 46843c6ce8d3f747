"""The Django app: registers checks, and nothing else."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PollyHtmxConfig(AppConfig):
    name = "polly_htmx"
    verbose_name = _("Parrots")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from polly_htmx import checks  # noqa: F401  (registers by import)
