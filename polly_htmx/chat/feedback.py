"""Feedback: a reader's word on an answer, given and taken back."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from polly_htmx import access
from polly_htmx.access import Who
from polly_htmx.chat import layer
from polly_htmx.chat.events import FeedbackGiven
from polly_htmx.chat.pending import conversation_of
from polly_htmx.exceptions import MessageTooLong, NotAReply
from polly_htmx.markdown import clean_text
from polly_htmx.models import Feedback, Message
from polly_htmx.models.feedback import COMMENT_CHARS


def give_feedback(
    message: Message, *, who: Who, good: bool, comment: str | None = None
) -> Feedback:
    """
    Store what its reader thinks of an answer, and tell all pages that show it.

    The first word and later ones share a row. Without ``comment`` the one that was
    given before stays. Raises NotFound (permission), NotAReply and MessageTooLong.
    """
    _check(message, who)
    values: dict[str, bool | str] = {"good": good}
    if comment is not None:
        values["comment"] = clean_text(comment).strip()
        if len(str(values["comment"])) > COMMENT_CHARS:
            raise MessageTooLong(len(comment), COMMENT_CHARS)
    with transaction.atomic():
        given, _made = Feedback.objects.update_or_create(
            message=message, defaults=values
        )
        _announce(message)
    return given


def take_back_feedback(message: Message, *, who: Who) -> None:
    """Forget what its reader thought of an answer; see give_feedback()."""
    _check(message, who)
    with transaction.atomic():
        Feedback.objects.filter(message=message).delete()
        _announce(message)


def _check(message: Message, who: Who) -> None:
    access.check_may_judge(who, message)
    if message.party != Message.Party.ASSISTANT or message.is_running:
        raise NotAReply


def _announce(message: Message) -> None:
    event = FeedbackGiven(message_id=message.pk)
    conversation = conversation_of(message)
    transaction.on_commit(partial(layer.publish, conversation, event))
