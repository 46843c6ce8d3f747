"""Caps: the columns by which a day's tokens and money are bounded and reserved."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

SMALLEST_COST = Decimal("0.0001")


class Capped(models.Model):
    """What all people together may have of something in a day. No part of a version:
    caps are about money, and not about how it answers."""

    daily_tokens = models.PositiveBigIntegerField(
        _("tokens in a day"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_(
            "What this Parrot may read and write in a day, for all people together. "
            "Empty: no cap."
        ),
    )
    daily_cost = models.DecimalField(
        _("US dollars in a day"),
        max_digits=12,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(SMALLEST_COST)],
        help_text=_(
            "What this Parrot may cost in a day, by the prices of its models: one whose "
            "price is not known counts nothing. Empty: no cap."
        ),
    )

    class Meta:
        abstract = True

    @property
    def has_caps(self) -> bool:
        """Whether anything bounds its day."""
        return bool(self.daily_tokens or self.daily_cost)


class Reserved(models.Model):
    """What a reply may take of the day while it runs; empty where nothing is capped."""

    RESERVED = ("reserved_input", "reserved_output", "reserved_cost")

    reserved_input = models.PositiveIntegerField(null=True, blank=True, editable=False)
    # Also the most that the model is asked for.
    reserved_output = models.PositiveIntegerField(null=True, blank=True, editable=False)
    reserved_cost = models.DecimalField(
        max_digits=16, decimal_places=10, null=True, blank=True, editable=False
    )

    class Meta:
        abstract = True

    @property
    def reserved_tokens(self) -> int | None:
        """The tokens of question and answer together."""
        if self.reserved_input is None or self.reserved_output is None:
            return None
        return self.reserved_input + self.reserved_output


class Held(models.Model):
    """What a call counts for the day in the place of figures that nobody knows."""

    held_tokens = models.PositiveBigIntegerField(null=True, blank=True, editable=False)
    held_cost = models.DecimalField(
        max_digits=16, decimal_places=10, null=True, blank=True, editable=False
    )

    class Meta:
        abstract = True
