"""Feedback: what its reader thinks of an answer."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from polly_htmx.models.messages import Message

COMMENT_CHARS = 2_000


class Feedback(models.Model):
    """
    Thumbs up or down for one answer, by the person whose conversation it is.

    A conversation has one owner, so a message has one Feedback.
    """

    message = models.OneToOneField(
        Message,
        verbose_name=_("message"),
        on_delete=models.CASCADE,
        related_name="feedback",
    )
    good = models.BooleanField(_("good"))
    comment = models.CharField(_("comment"), max_length=COMMENT_CHARS, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback")
        ordering = ["-pk"]

    def __str__(self) -> str:
        # Not the comment: this goes to logs and to the admin's history.
        return "+1" if self.good else "-1"
