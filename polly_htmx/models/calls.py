"""ModelCall: what one call to a model took, and what it cost."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from polly_htmx.llm.attempts import Attempt
from polly_htmx.models.messages import CODE_CHARS, Message
from polly_htmx.models.parrots import MODEL_CHARS, ParrotVersion

PROVIDER_MODEL_CHARS = 200


class ModelCall(models.Model):
    """
    One call to a model; a reply has several where it was tried again.

    The only place of tokens and money: what a reply, a person or a Parrot took is a
    sum over these rows. They outlive the conversation they were made for, since the
    bill does too.
    """

    class Purpose(models.TextChoices):
        """What the call was for."""

        REPLY = "reply", _("a reply")
        ASK = "ask", _("a question outside of conversations")
        TITLE = "title", _("a title")

    class Exactness(models.TextChoices):
        """Where the figures come from."""

        EXACT = "exact", _("told by the provider")
        ESTIMATED = "estimated", _("estimated")
        UNKNOWN = "unknown", _("unknown")

    purpose = models.CharField(_("purpose"), max_length=12, choices=Purpose.choices)
    reply = models.ForeignKey(
        Message,
        verbose_name=_("reply"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="calls",
    )
    version = models.ForeignKey(
        ParrotVersion,
        verbose_name=_("version of the Parrot"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="calls",
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    visitor = models.UUIDField(_("visitor"), null=True, blank=True)

    model = models.CharField(
        _("model"), max_length=MODEL_CHARS, help_text=_("Its name on this site.")
    )
    answered_by = models.CharField(
        _("answered by"),
        max_length=PROVIDER_MODEL_CHARS,
        blank=True,
        help_text=_("The model that the provider named."),
    )
    error = models.CharField(_("error"), max_length=CODE_CHARS, blank=True)

    exactness = models.CharField(
        _("exactness"), max_length=9, choices=Exactness.choices
    )
    input_tokens = models.PositiveIntegerField(_("prompt tokens"), null=True)
    output_tokens = models.PositiveIntegerField(_("answer tokens"), null=True)
    cached_tokens = models.PositiveIntegerField(_("cached tokens"), null=True)
    reasoning_tokens = models.PositiveIntegerField(_("reasoning tokens"), null=True)
    cost = models.DecimalField(
        _("cost in US dollars"),
        max_digits=16,
        decimal_places=10,
        null=True,
        help_text=_("By the price at that time; empty where none is known."),
    )

    first_token = models.FloatField(_("seconds to the first token"), null=True)
    seconds = models.FloatField(_("seconds"), null=True)
    created_at = models.DateTimeField(_("ended"), auto_now_add=True)

    class Meta:
        verbose_name = _("call to a model")
        verbose_name_plural = _("calls to models")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["user", "created_at"], name="polly_call_user"),
            models.Index(fields=["created_at"], name="polly_call_when"),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.pk}"

    @classmethod
    def of(cls, attempt: Attempt, **about: Any) -> Self:
        """Return the row, not yet saved, of a call and of what it was made for."""
        row = cls(
            model=attempt.model,
            error=attempt.error,
            exactness=cls.Exactness.UNKNOWN,
            cost=attempt.cost,
            first_token=attempt.first,
            seconds=attempt.seconds,
            **about,
        )
        if attempt.ending is not None:
            row.answered_by = attempt.ending.answered_by[:PROVIDER_MODEL_CHARS]
        if (usage := attempt.usage) is not None:
            exactness = cls.Exactness
            row.exactness = exactness.EXACT if usage.exact else exactness.ESTIMATED
            row.input_tokens = usage.input_tokens
            row.output_tokens = usage.output_tokens
            row.cached_tokens = usage.cached_input_tokens
            row.reasoning_tokens = usage.reasoning_tokens
        return row
