"""Thinking: what a model thought before it answered, for how long, and who may see it."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from polly_htmx.markdown import verbatim


class Thinking(models.Model):
    """The part of a Message that stands before its words."""

    reasoning = models.TextField(
        _("thoughts"),
        blank=True,
        help_text=_("What the model thought first. It is never sent back to it."),
    )
    # Whole seconds, over all runs; nobody knows them of a run that died.
    thought_seconds = models.PositiveIntegerField(
        _("seconds of thought"), null=True, blank=True, editable=False
    )

    class Meta:
        abstract = True

    # ``self`` is a Message, of which this file knows no more.

    @property
    def is_thinking(self: Any) -> bool:
        """Whether this is a running reply of which there are only thoughts yet."""
        return self.is_running and bool(self.reasoning) and not self.content

    @property
    def shows_thinking(self: Any) -> bool:
        """Whether readers may see the thoughts: its Parrot decides, as it is now."""
        return self.version is None or self.version.parrot.shows_thinking

    @property
    def thoughts(self: Any) -> SafeString:
        """The thoughts as safe HTML, if there are any that readers may see."""
        shown = self.reasoning and self.shows_thinking
        return verbatim(self.reasoning if shown else "")

    @property
    def thought_for(self: Any) -> int | None:
        """The seconds of thought of a reply that has ended, if readers may know them;
        less than half of one is no number to tell."""
        if self.is_running or not self.thought_seconds or not self.shows_thinking:
            return None
        return int(self.thought_seconds)
