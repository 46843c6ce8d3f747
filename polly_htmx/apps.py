"""The Django app: registers checks, and what must follow migrations."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class PollyHtmxConfig(AppConfig):
    name = "polly_htmx"
    verbose_name = _("Parrots")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from polly_htmx import checks  # noqa: F401  (registers by import)
        from polly_htmx.models.search_index import after_migrate

        post_migrate.connect(after_migrate, sender=self)
