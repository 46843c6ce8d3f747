"""Claims: a pending reply is taken for one runner, with all that it needs to know."""

from __future__ import annotations

import uuid
from copy import copy
from dataclasses import dataclass

from polly_htmx.chat.history import Prompt, prompt_for
from polly_htmx.conf import conf
from polly_htmx.models import Message


@dataclass(frozen=True, slots=True)
class Claim:
    """A reply that one runner owns, from now on until its lease runs out."""

    reply: Message
    prompt: Prompt
    owner: uuid.UUID


def claim(reply_id: int) -> Claim | None:
    """Take a pending reply; return None if it is another's or pending no more."""
    owner = uuid.uuid4()
    if not _take(reply_id, owner):
        return None
    rows = Message.objects.select_related("conversation", "version__parrot")
    reply = rows.get(pk=reply_id)
    return Claim(reply, prompt_for(reply), owner)


def claim_stored(stored: Message) -> Claim | None:
    """Take a reply in the very transaction that stores it; see claim(). It is read no
    more, and neither is what it answers, where that is the first of a chat."""
    reply, owner = copy(stored), uuid.uuid4()
    # The caller keeps what it has: the runner's are changed from another thread.
    reply.conversation = copy(stored.conversation)
    prompt = prompt_for(reply)
    changes = _take(reply.pk, owner)
    for name, value in changes.items():
        setattr(reply, name, value)
    return Claim(reply, prompt, owner) if changes else None


def release(claimed: Claim) -> None:
    """Let a reply wait for another runner, as if it had not been taken."""
    Message.objects.release(claimed.reply.pk, claimed.owner)


def _take(reply_id: int, owner: uuid.UUID) -> dict[str, object]:
    return Message.objects.claim(reply_id, owner=owner, seconds=conf.REPLY_LEASE)
