"""What every table that people meet has: a public id and two times."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

SHORT = 8
"""Characters that tell the few replies apart that run on one page."""


class PublicModel(models.Model):
    """A row with an id that may stand in a URL, and the times of its life."""

    external_id = models.UUIDField(
        _("public id"), default=uuid.uuid4, unique=True, editable=False
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        abstract = True

    @property
    def short_id(self) -> str:
        """See short()."""
        return short(str(self.external_id))


def short(public_id: str) -> str:
    """
    Return the beginning of a public id, to name what is alone of its kind on a page.

    Frames name what is being written some thirty times in an answer.
    """
    return public_id[:SHORT]
