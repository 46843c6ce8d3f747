"""Conversations: start one, find one again in its place, and page through it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from polly_htmx import access
from polly_htmx.access import Who
from polly_htmx.chat.versions import with_versions
from polly_htmx.chat.waiting import Waiting, waiting_in
from polly_htmx.exceptions import NotFound, ParrotRetired
from polly_htmx.models import Message, Parrot, SmartConversation

PAGE_SIZE = 20
"""Messages that a page shows first, and that each step back adds."""
MISSED = 200
"""Messages at the most that a page is sent again when it comes back."""


MAX_DIGITS = 20
"""More than any id has; Python takes its time over very long numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some neighbouring messages of a conversation's path, oldest first."""

    messages: list[Message]
    earlier: int | None
    """Sequence number of the first message here if there are earlier ones."""

    @property
    def start(self) -> int:
        """The sequence number of the first message, 0 where nothing is above it."""
        return self.earlier or 0


def start_conversation(
    parrot: Parrot,
    *,
    who: Who,
    title: str = "",
    slot: str = "",
    context: str = "",
    external_id: uuid.UUID | None = None,
) -> SmartConversation:
    """
    Create a conversation of this person with a Parrot.

    Raises SignInRequired for nobody, ParrotRetired for a retired Parrot.
    """
    access.require_owner(who)
    if parrot.is_retired:
        raise ParrotRetired
    return SmartConversation.objects.create(
        external_id=external_id or uuid.uuid4(),
        parrot=parrot,
        user=who.user,
        visitor=None if who.user else who.visitor,
        title=title,
        slot=slot,
        context=context,
    )


def active_parrots() -> list[Parrot]:
    """Return the Parrots that a conversation can be started with."""
    return list(Parrot.objects.active())


def conversation_in_slot(slot: str, *, who: Who) -> SmartConversation | None:
    """Return this person's newest conversation in a place of the site, if any."""
    own = access.conversations_of(who).filter(slot=slot).select_related("parrot")
    return own.newest_first().first()


def newest_page(conversation: SmartConversation) -> Page:
    """Return the newest messages of the current path."""
    return _page(conversation.current_id)


def page_before(conversation: SmartConversation, sequence: int) -> Page:
    """Return the messages before the one with this number, on the current path."""
    on_path = conversation.messages.filter(sequence=sequence)
    return _page(on_path.values_list("parent_id", flat=True).first())


def state_of(conversation: SmartConversation) -> str:
    """Return a mark that changes whenever the shown messages do."""
    return mark(conversation.current_id, conversation.updated_at)


def mark(leaf_id: int | None, updated_at: datetime) -> str:
    """See state_of(); for one who knows what it will be."""
    return f"{leaf_id or 0}-{updated_at.timestamp():.6f}"


def leaf_of(state: str) -> int | None:
    """Return the id of the last message that a mark tells of; None if there is none."""
    leaf = state.partition("-")[0]
    return int(leaf) or None if leaf.isdecimal() and len(leaf) < MAX_DIGITS else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A conversation as it stands, for a page that may have missed something."""

    state: str
    last: int
    """The highest sequence number in use."""
    running: Message | None
    """The reply at the end of the path, while it runs."""
    missed: list[Message] | None = None
    """What a page shows from its first message on; None if it shows just that."""
    is_elsewhere: bool = False
    """Whether the path has left what the page shows above its first message, so that
    the page must load afresh."""
    waiting: Waiting | None = None
    """What waits for its turn, where something was missed."""


def look(conversation: SmartConversation, state: str, sequence: int) -> Sight:
    """
    Return what a page must do that was made with the mark ``state``.

    ``sequence`` is the number of its first message, 0 where nothing is above that. At
    most MISSED messages.
    """
    conversation.refresh_from_db(fields=["current", "updated_at", "last_sequence"])
    now, last = state_of(conversation), conversation.last_sequence
    if state == now:
        running = _running(Message.objects.path_to(conversation.current_id, limit=1))
        if running is not None:
            with_versions([running])  # Its end will be rendered from what is read here.
        return Sight(state=now, last=last, running=running)
    path = Message.objects.path_to(conversation.current_id, limit=MISSED)
    shown = [message for message in path if message.sequence >= sequence]
    return Sight(
        state=now,
        last=last,
        running=_running(path),
        missed=with_versions(shown),
        is_elsewhere=not _is_still_there(sequence, path),
        waiting=waiting_in(conversation),
    )


def _running(path: list[Message]) -> Message | None:
    return path[-1] if path and path[-1].is_running else None


def _is_still_there(sequence: int, path: list[Message]) -> bool:
    """Tell whether a path goes through all above the first message that a page shows."""
    # What lies above a message never changes, so it tells for all that is above it.
    if sequence:
        return any(each.sequence == sequence for each in path)
    return not path or path[0].parent_id is None


def _page(leaf_id: int | None) -> Page:
    found = with_versions(Message.objects.path_to(leaf_id, limit=PAGE_SIZE))
    has_more = bool(found) and found[0].parent_id is not None
    return Page(messages=found, earlier=found[0].sequence if has_more else None)


def with_ids(
    conversation: SmartConversation, ids: Iterable[int | None]
) -> list[Message]:
    """Return some messages of a conversation with all that a fragment needs."""
    found = conversation.messages.filter(pk__in=[pk for pk in ids if pk is not None])
    return with_versions(found.for_page().order_by("sequence"))


def message_in(conversation: SmartConversation, external_id: str) -> Message:
    """Return a message of this conversation by its public id; raises NotFound."""
    try:
        key = uuid.UUID(external_id)
    except ValueError:
        raise NotFound from None
    found = conversation.messages.for_page().filter(external_id=key).first()
    if found is None:
        raise NotFound
    return found
