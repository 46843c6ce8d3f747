"""SmartConversation: a session between one person and one Parrot."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from polly_htmx.managers import SmartConversationQuerySet
from polly_htmx.models.base import PublicModel
from polly_htmx.models.parrots import Parrot

TITLE_CHARS = 200
SLOT_CHARS = 200
LISTED = Q(pinned_at=None, archived_at=None, deleted_at=None)
"""What the list shows by its days; pinned chats stand above it."""


class SmartConversation(PublicModel):
    """
    A session between one user, or one anonymous visitor, and one Parrot.

    Its Messages form a tree; ``current`` is the leaf of the path that all tabs
    show. ``last_sequence`` numbers the Messages over all branches.
    """

    class AnsweredBy(models.TextChoices):
        """Who answers: the Parrot, or a person of the staff."""

        PARROT = "PARROT", _("the Parrot")
        STAFF = "STAFF", _("staff")

    class TitledBy(models.TextChoices):
        """Who gave the title; a model never changes what a person did."""

        NOBODY = "", _("nobody")
        MODEL = "MODEL", _("a model")
        PERSON = "PERSON", _("a person")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="polly_conversations",
    )
    visitor = models.UUIDField(_("visitor"), null=True, blank=True, editable=False)
    parrot = models.ForeignKey(
        Parrot,
        verbose_name=_("Parrot"),
        on_delete=models.PROTECT,
        related_name="conversations",
    )
    title = models.CharField(_("title"), max_length=TITLE_CHARS, blank=True)
    titled_by = models.CharField(
        _("titled by"),
        max_length=6,
        choices=TitledBy.choices,
        default=TitledBy.NOBODY,
        blank=True,
        editable=False,
    )
    slot = models.CharField(
        _("slot"),
        max_length=SLOT_CHARS,
        blank=True,
        editable=False,
        help_text=_("The place in the site where this chat is found again."),
    )
    context = models.TextField(
        _("context"), blank=True, help_text=_("What the Parrot is told of this place.")
    )
    last_sequence = models.PositiveIntegerField(
        _("last number"), default=0, editable=False
    )
    current = models.ForeignKey(
        "polly_htmx.Message",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    # How many messages wait for their turn, so that nobody asks who need not.
    queued = models.PositiveSmallIntegerField(default=0, editable=False)
    # Whether an answer has ended that its owner has not seen: a flag and no time, so
    # that the list needs no message to know it.
    has_new_answer = models.BooleanField(default=False, editable=False)
    answered_by = models.CharField(
        _("answered by"),
        max_length=10,
        choices=AnsweredBy.choices,
        default=AnsweredBy.PARROT,
    )

    # Where it stands in its owner's list.
    pinned_at = models.DateTimeField(_("pinned"), null=True, blank=True, editable=False)
    archived_at = models.DateTimeField(
        _("archived"), null=True, blank=True, editable=False
    )
    deleted_at = models.DateTimeField(
        _("deleted"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Gone for its owner, who can still take it back for a while."),
    )

    objects = SmartConversationQuerySet.as_manager()

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        ordering = ["-updated_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, visitor__isnull=True)
                | Q(user__isnull=True, visitor__isnull=False),
                name="polly_conversation_one_owner",
            ),
            models.CheckConstraint(
                condition=Q(answered_by__in=["PARROT", "STAFF"]),
                name="polly_conversation_answered_by",
            ),
        ]
        indexes = [
            models.Index(
                fields=["user", "-updated_at", "-id"], name="polly_conversation_user"
            ),
            models.Index(
                fields=["visitor", "-updated_at", "-id"],
                name="polly_conversation_visitor",
            ),
            # The list, page by page, and what is few in it: each row is in one of them,
            # or in none. The two above are for limits, which count deleted ones too.
            models.Index(
                fields=["user", "-updated_at", "-id"],
                condition=LISTED,
                name="polly_conversation_list",
            ),
            models.Index(
                fields=["user", "-pinned_at"],
                condition=Q(pinned_at__isnull=False),
                name="polly_conversation_pins",
            ),
            models.Index(
                fields=["user", "-updated_at", "-id"],
                condition=Q(archived_at__isnull=False),
                name="polly_conversation_archive",
            ),
            models.Index(
                fields=["deleted_at"],
                condition=Q(deleted_at__isnull=False),
                name="polly_conversation_deleted",
            ),
        ]

    def __str__(self) -> str:
        # Not the title, which can hold a person's words: this goes to logs and to
        # the admin's history, before staff who may not read them.
        return str(self.external_id)

    def get_absolute_url(self) -> str:
        """Return the address of the chat page, which is its owner's only."""
        return reverse("polly:conversation", args=[self.external_id])

    @property
    def label(self) -> str:
        """The title, else the first words if the queryset added them, else "New chat"."""
        return self.title or getattr(self, "opening", None) or str(_("New chat"))
