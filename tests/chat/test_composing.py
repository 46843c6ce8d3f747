"""Drafts: kept for one person, until their message is stored."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from polly_htmx import exceptions
from polly_htmx.access import Who
from polly_htmx.chat import send_message, take_turn
from polly_htmx.chat.composing import draft_of, keep_draft
from polly_htmx.models import Draft, SmartConversation

pytestmark = pytest.mark.django_db


def text_of(conversation: SmartConversation, who: Who) -> str | None:
    draft = draft_of(conversation, who=who)
    return None if draft is None else draft.text


def test_the_last_draft_is_kept_with_its_nonce(
    conversation: SmartConversation, who: Who
) -> None:
    keep_draft(conversation, "Hel", who=who, nonce="n1")
    keep_draft(conversation, "Hello\x00", who=who, nonce="n2")
    draft = draft_of(conversation, who=who)
    assert draft is not None
    assert (draft.text, draft.nonce) == ("Hello\ufffd", "n2")
    assert Draft.objects.count() == 1


@pytest.mark.parametrize("changed", ["", "-", "--"])
def test_draft_is_none_once_its_message_is_stored(
    conversation: SmartConversation, who: Who, changed: str
) -> None:
    keep_draft(conversation, "Hel", who=who, nonce="n1")
    take_turn(conversation, "Hello", who=who, nonce=f"n1{changed}")
    assert text_of(conversation, who) is None
    keep_draft(conversation, "Hello", who=who, nonce="n1")  # It was on its way.
    assert text_of(conversation, who) is None
    keep_draft(conversation, "And", who=who, nonce="n2")
    assert text_of(conversation, who) == "And"


def test_draft_is_none_while_its_message_waits(
    conversation: SmartConversation, who: Who
) -> None:
    take_turn(conversation, "One", who=who)
    keep_draft(conversation, "Tw", who=who, nonce="n1")
    send_message(conversation, "Two", who=who, nonce="n1")
    assert text_of(conversation, who) is None


def test_blank_draft_is_forgotten(conversation: SmartConversation, who: Who) -> None:
    keep_draft(conversation, "Hello", who=who, nonce="n1")
    keep_draft(conversation, " \n", who=who, nonce="n1")
    assert not Draft.objects.exists()


def test_draft_has_the_limit_of_a_message(
    conversation: SmartConversation, who: Who
) -> None:
    keep_draft(conversation, "x" * 16_000, who=who, nonce="n1")
    with pytest.raises(exceptions.MessageTooLong):
        keep_draft(conversation, "x" * 16_001, who=who, nonce="n1")
    with pytest.raises(exceptions.BadFrame):
        keep_draft(conversation, "x", who=who, nonce="")


def test_drafts_of_others_are_not_to_be_had(
    conversation: SmartConversation, who: Who, other_user: User
) -> None:
    keep_draft(conversation, "Mine", who=who, nonce="n1")
    with pytest.raises(exceptions.NotFound):
        keep_draft(conversation, "Theirs", who=Who(user=other_user), nonce="n2")
    assert text_of(conversation, Who(user=other_user)) is None
    assert text_of(conversation, who) == "Mine"


def test_draft_stays_with_a_chat_that_a_visitor_takes_along(
    conversation: SmartConversation, who: Who
) -> None:
    """The owner's draft names nobody, so it is whoever owns the chat."""
    keep_draft(conversation, "Mine", who=who, nonce="n1")
    assert Draft.objects.get().author is None
