"""ModelCall: what one call to a model took, and what it cost."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from polly_htmx.llm import exceptions
from polly_htmx.llm.attempts import Attempt
from polly_htmx.llm.estimates import thinks_unseen
from polly_htmx.models.caps import Held
from polly_htmx.models.messages import CODE_CHARS, Message
from polly_htmx.models.parrots import MODEL_CHARS, ParrotVersion

PROVIDER_MODEL_CHARS = 200
UNBILLED = {
    kind.code
    for kind in (
        exceptions.NotConfigured,
        exceptions.UnknownModel,
        exceptions.BadParameter,
        exceptions.NotAuthorised,
        exceptions.RateLimited,
        exceptions.ContextTooLong,
        exceptions.MessageTooLongForModel,
        exceptions.RequestRefused,
        exceptions.Unavailable,
        exceptions.Unreachable,
    )
}
"""Faults by which no model has begun to work, if they come before the first word."""


class ModelCall(Held, models.Model):
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
            # What a visitor, or a Parrot, has used today.
            models.Index(
                fields=["visitor", "created_at"],
                condition=models.Q(visitor__isnull=False),
                name="polly_call_visitor",
            ),
            models.Index(fields=["version", "created_at"], name="polly_call_version"),
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

    @classmethod
    def hold(cls, tokens: int, cost: Decimal, *, using: str, **about: Any) -> Self:
        """Store the row of a call that is to come: it counts what it may take, and goes
        on counting that if its process dies. See settle()."""
        return cls.objects.using(using).create(
            exactness=cls.Exactness.UNKNOWN,
            held_tokens=tokens,
            held_cost=cost,
            **about,
        )

    @classmethod
    def settle(cls, rows: Iterable[Self], held: Self | None, *, using: str) -> None:
        """Store calls in the place of what was held for them, if anything was."""
        made, rows = cls.objects.using(using), list(rows)
        if held is None:
            made.bulk_create(rows)
            return
        for row in rows:
            row.keep(held.held_tokens, held.held_cost)
        with transaction.atomic(using=using):
            made.bulk_create(rows)
            # The day that let them begin pays for them.
            own = made.filter(pk__in=[row.pk for row in rows])
            own.update(created_at=held.created_at)
            held.delete(using=using)

    def keep(self, tokens: int | None, cost: Decimal | None) -> None:
        """
        Let the call count as what was reserved for it, where nobody knows what it took.

        That is also a call that ended early with a model that thinks: most do so where
        nobody sees it, and the provider counts it.
        """
        if tokens is None:
            return
        if self.exactness == self.Exactness.UNKNOWN:
            is_guess = self.error not in UNBILLED
        else:
            is_early = self.exactness == self.Exactness.ESTIMATED
            is_guess = is_early and thinks_unseen(self.model)
        if is_guess:
            known = (self.input_tokens or 0) + (self.output_tokens or 0)
            self.held_tokens = max(tokens, known)
            self.held_cost = max(cost or Decimal(0), self.cost or Decimal(0))
