"""SocketCount: how many sockets one person holds open in one process."""

from __future__ import annotations

from django.db import models


class SocketCount(models.Model):
    """
    One row per process and person, so that a limit counts across processes.

    A process renews ``seen_at`` of its rows while it lives; rows that fall silent
    belong to a process that died, and no longer count.
    """

    process = models.UUIDField()
    person = models.CharField(max_length=64)
    count = models.PositiveIntegerField(default=0)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["process", "person"], name="polly_socketcount_row"
            ),
        ]
        indexes = [
            models.Index(fields=["person", "seen_at"], name="polly_socketcount_who"),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.count}"
