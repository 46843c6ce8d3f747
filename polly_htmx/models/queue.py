"""QueuedMessage: what was sent during a reply, and waits for its turn."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from polly_htmx.models.base import PublicModel
from polly_htmx.models.conversations import SmartConversation
from polly_htmx.models.exceptions import sentence_of
from polly_htmx.models.messages import CODE_CHARS, NONCE_CHARS
from polly_htmx.models.parrots import Parrot


class QueuedMessage(PublicModel):
    """
    A message that waits until the running reply has ended, in the order of the keys.

    No Message yet: it has no number and no place in the tree before it becomes a
    turn. How it is to be answered was asked when it was sent, and lies beside it.
    """

    conversation = models.ForeignKey(
        SmartConversation, on_delete=models.CASCADE, related_name="queue"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
    )
    content = models.TextField(_("content"))
    # NULL, not "": the database lets only NULLs repeat.
    nonce = models.CharField(  # noqa: DJ001
        max_length=NONCE_CHARS, null=True, blank=True, editable=False
    )
    parrot = models.ForeignKey(
        Parrot, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    # Whoever stops an answer and then sends something, means that it should go.
    after_stop = models.BooleanField(default=False)
    # Why it was refused its turn: a code, for the sentence is its reader's.
    refusal = models.CharField(max_length=CODE_CHARS, blank=True, editable=False)
    instructions = models.TextField(blank=True)
    context = models.TextField(blank=True)

    class Meta:
        verbose_name = _("waiting message")
        verbose_name_plural = _("waiting messages")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "nonce"], name="polly_queued_nonce"
            ),
        ]

    def __str__(self) -> str:
        # Never the text: this goes to logs.
        return str(self.external_id)

    @property
    def why(self) -> str:
        """What a person should know of why it still waits, or ""."""
        return sentence_of(self.refusal) if self.refusal else ""
