"""manage.py polly_reap: clear up what processes that died have left behind."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from polly_htmx.chat.leases import interrupt_expired
from polly_htmx.chat.queue import move_all_on
from polly_htmx.chat.shelf import forget_deleted
from polly_htmx.chat.sockets import forget_silent


class Command(BaseCommand):
    """
    Marks replies whose runner died, lets waiting messages go on where nothing runs,
    forgets the sockets of processes that died, and removes the rows of chats that
    people have deleted.

    Every process that serves sockets does the same while it runs. This is for the
    time when none does, and for operators who want to be sure.
    """

    help = _(
        "Marks replies as interrupted whose process died, so that people can go on "
        "with them, and forgets the open sockets of such processes. Removes for good "
        "what people have deleted."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        """See BaseCommand."""
        try:
            self._reap()
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped. What is done is done; the same command does the rest.",
                returncode=130,
            ) from None

    def _reap(self) -> None:
        """Clear up and print what there was."""
        replies, sockets = interrupt_expired(), forget_silent()
        move_all_on()
        deleted = forget_deleted()
        self.stdout.write(f"Replies marked as interrupted: {replies}")
        self.stdout.write(f"Socket counts removed: {sockets}")
        self.stdout.write(f"Deleted chats removed: {deleted}")
