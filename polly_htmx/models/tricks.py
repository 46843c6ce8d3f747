"""Tricks: what Parrots can do besides talk."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from polly_htmx.models.base import PublicModel
from polly_htmx.models.parrots import NAME_CHARS, Parrot

HARDEST = 5


class Trick(PublicModel):
    """Something that a Parrot can do besides talk."""

    parrot = models.ForeignKey(
        Parrot,
        verbose_name=_("Parrot"),
        on_delete=models.CASCADE,
        related_name="tricks",
    )
    name = models.CharField(_("name"), max_length=NAME_CHARS)
    difficulty = models.PositiveSmallIntegerField(
        _("difficulty"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(HARDEST)],
        help_text=_("From 1, easy, to 5, hard."),
    )
    description = models.TextField(_("description"), blank=True)

    class Meta:
        verbose_name = _("Trick")
        verbose_name_plural = _("Tricks")
        ordering = ["parrot", "name", "pk"]

    def __str__(self) -> str:
        return self.name
