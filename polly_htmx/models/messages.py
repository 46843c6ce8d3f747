"""Message: one entry of a conversation, and the life of a reply."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _, ngettext

from polly_htmx.exceptions import Withheld, user_message_for
from polly_htmx.llm import LLMModelType
from polly_htmx.managers import MessageQuerySet
from polly_htmx.markdown import render
from polly_htmx.models.base import PublicModel
from polly_htmx.models.caps import Reserved
from polly_htmx.models.conversations import SmartConversation
from polly_htmx.models.parrots import MODEL_CHARS, ParrotVersion
from polly_htmx.models.thinking import Thinking
from polly_htmx.models.versions import Versions

NONCE_CHARS = 64
CODE_CHARS = 40
CUT_REASONS = ("length", "cut")
"""Finish reasons of an answer that is not whole: the provider's limit, and ours."""


class Message(Reserved, Thinking, PublicModel):
    """
    One entry of a conversation: Markdown source, who wrote it, and its status.

    A reply is the ASSISTANT Message of a turn. Order is ``sequence``, never a
    clock. ``parent`` makes the conversation a tree: another answer to the same
    question is a sibling.
    """

    class Party(models.TextChoices):
        """Who speaks."""

        USER = "USER", _("User")
        ASSISTANT = "ASSISTANT", _("Assistant")
        STAFF = "STAFF", _("Staff")

    class Status(models.TextChoices):
        """Where a Message is in its life; all but replies are born complete."""

        PENDING = "pending", _("pending")
        STREAMING = "streaming", _("streaming")
        WAITING = "waiting", _("waiting for a person")
        COMPLETE = "complete", _("complete")
        STOPPED = "stopped", _("stopped")
        FAILED = "failed", _("failed")
        INTERRUPTED = "interrupted", _("interrupted")

    RUNNING = (Status.PENDING, Status.STREAMING, Status.WAITING)

    conversation = models.ForeignKey(
        SmartConversation, models.CASCADE, "messages", verbose_name=_("conversation")
    )
    parent = models.ForeignKey(
        "self",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        editable=False,
        related_name="children",
    )
    sequence = models.PositiveIntegerField(_("number"), editable=False)
    party = models.CharField(_("party"), max_length=10, choices=Party.choices)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    content = models.TextField(_("content"), blank=True)
    status = models.CharField(
        _("status"), max_length=12, choices=Status.choices, default=Status.COMPLETE
    )
    # NULL, not "": the database lets only NULLs repeat.
    nonce = models.CharField(  # noqa: DJ001
        max_length=NONCE_CHARS, null=True, blank=True, editable=False
    )

    # What a reply answers with, fixed when its turn is taken.
    version = models.ForeignKey(
        ParrotVersion,
        verbose_name=_("version of the Parrot"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="replies",
    )
    instructions = models.TextField(
        _("instructions"),
        blank=True,
        help_text=_("Told to the model instead of the Parrot's character."),
    )
    context = models.TextField(
        _("context"), blank=True, help_text=_("Told to the model after the character.")
    )

    # How it ended.
    error = models.CharField(_("error"), max_length=CODE_CHARS, blank=True)
    finish_reason = models.CharField(
        _("finish reason"), max_length=CODE_CHARS, blank=True
    )
    answered_by = models.CharField(
        _("stand-in"),
        max_length=MODEL_CHARS,
        blank=True,
        help_text=_("The model that answered in place of the Parrot's own."),
    )
    left_out = models.PositiveIntegerField(
        _("left out"),
        default=0,
        editable=False,
        help_text=_("Earlier messages that did not fit into the model's window."),
    )
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    # Who runs it. A runner that is not heard of until lease_until counts as dead.
    lease_owner = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    # A person wants it to end: the runner reads this with every checkpoint, should
    # the bell on the channel layer not have reached it.
    stop_requested = models.BooleanField(default=False, editable=False)

    objects = MessageQuerySet.as_manager()

    versions: Versions | None = None
    """Set where messages are read for a page, and there is more than one version."""

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["conversation", "sequence"]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "sequence"], name="polly_message_order"
            ),
            models.UniqueConstraint(
                fields=["conversation", "nonce"],
                condition=Q(nonce__isnull=False),
                name="polly_message_nonce",
            ),
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(
                    party="ASSISTANT", status__in=["pending", "streaming", "waiting"]
                ),
                name="polly_message_one_running",
            ),
            models.CheckConstraint(
                condition=Q(party__in=["USER", "ASSISTANT", "STAFF"]),
                name="polly_message_party",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "pending",
                        "streaming",
                        "waiting",
                        "complete",
                        "stopped",
                        "failed",
                        "interrupted",
                    ]
                ),
                name="polly_message_status",
            ),
        ]
        indexes = [
            models.Index(
                fields=["status", "lease_until"],
                condition=Q(status__in=["pending", "streaming"]),
                name="polly_message_lease",
            ),
            # The first messages: all conversations have their parent, none, in common.
            models.Index(
                fields=["conversation"],
                condition=Q(parent__isnull=True),
                name="polly_message_root",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_party_display()} {self.sequence}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; a new Message without a number goes to the end of its conversation."""
        number: int | None = self.sequence
        if number is not None:
            super().save(*args, **kwargs)
            return
        conversations = SmartConversation.objects.using(kwargs.get("using"))
        with transaction.atomic(using=kwargs.get("using")):
            self.sequence = conversations.take_numbers(self.conversation_id, 1)
            if self.parent_id is None:
                leaf = conversations.values_list("current_id", flat=True)
                self.parent_id = leaf.get(pk=self.conversation_id)
            super().save(*args, **kwargs)
            conversations.point_at(self.conversation_id, self.pk)
        if "conversation" in self._state.fields_cache:
            # Whoever holds the conversation sees the new end of its path at once.
            self.conversation.current = self

    @classmethod
    def running_condition(cls) -> Q:
        """Return what makes a row a reply that has not reached its end."""
        return Q(party=cls.Party.ASSISTANT, status__in=cls.RUNNING)

    @property
    def is_running(self) -> bool:
        """Whether this is a reply that has not reached its end."""
        return self.party == self.Party.ASSISTANT and self.status in self.RUNNING

    @property
    def is_fresh(self) -> bool:
        """Whether this is a reply of which nothing has been written yet."""
        written = self.content or self.reasoning
        return self.status == self.Status.PENDING and not written

    @property
    def can_continue(self) -> bool:
        """Whether this is a reply that ended before the model had said all."""
        if self.party != self.Party.ASSISTANT or self.error == Withheld.code:
            return False
        if self.status == self.Status.COMPLETE:
            return self.finish_reason in CUT_REASONS
        if self.status == self.Status.FAILED:
            return bool(self.content)
        return self.status in {self.Status.STOPPED, self.Status.INTERRUPTED}

    @property
    def thumb(self) -> Any:
        """The Feedback of its reader, if it was read together with the message."""
        # Not by the attribute: it would ask the database, and frames are rendered
        # where nobody may.
        return self._state.fields_cache.get("feedback")

    @property
    def html(self) -> SafeString:
        """The content as safe HTML, the same live and after a reload."""
        return render(self.content)

    @property
    def stand_in(self) -> str:
        """The label of the model that answered in place of the Parrot's own, or ""."""
        if not self.answered_by:
            return ""
        return dict(LLMModelType.choices).get(self.answered_by, self.answered_by)

    @property
    def left_out_remark(self) -> str:
        """What a reader should know of what the model was not told, or ""."""
        if not self.left_out:
            return ""
        return ngettext(
            "%(count)s earlier message was not sent to the model.",
            "%(count)s earlier messages were not sent to the model.",
            self.left_out,
        ) % {"count": self.left_out}

    @property
    def remark(self) -> str:
        """What a reader should know of how the reply ended, "" if it ended well."""
        if self.error:
            return user_message_for(self.error)
        if self.status == self.Status.STOPPED:
            return str(_("The answer was stopped."))
        if self.finish_reason in CUT_REASONS:
            return str(_("The answer was cut because it grew too long."))
        return ""
