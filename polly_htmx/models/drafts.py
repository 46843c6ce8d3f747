"""Draft: what a person has typed into a conversation and not sent yet."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from polly_htmx.models.conversations import SmartConversation
from polly_htmx.models.messages import NONCE_CHARS


class Draft(models.Model):
    """
    The text of a composer, one for each conversation and person.

    It names the nonce that its message will be sent with, so a draft whose message
    is stored is none any more, and sending needs to delete nothing.
    """

    conversation = models.ForeignKey(
        SmartConversation, on_delete=models.CASCADE, related_name="drafts"
    )
    # Without one it is the owner's, whoever that is: a visitor may sign in.
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
    )
    text = models.TextField(_("text"))
    nonce = models.CharField(max_length=NONCE_CHARS)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(author__isnull=True),
                name="polly_draft_of_owner",
            ),
            models.UniqueConstraint(
                fields=["conversation", "author"], name="polly_draft_of_author"
            ),
        ]

    def __str__(self) -> str:
        # Never the text: this goes to logs.
        return f"draft {self.pk}"
