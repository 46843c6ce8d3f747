"""Messages: their order, tree and constraints."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch  # the clock is the one thing a test can't do for real

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from polly_htmx.models import Message, Parrot, SmartConversation

pytestmark = pytest.mark.django_db

USER, ASSISTANT = Message.Party.USER, Message.Party.ASSISTANT


def say(conversation: SmartConversation, text: str = "Hi", **fields: Any) -> Message:
    return Message.objects.create(
        conversation=conversation, content=text, **{"party": USER, **fields}
    )


def test_messages_get_numbers_and_parents_in_their_order(
    conversation: SmartConversation,
) -> None:
    first, second = say(conversation), say(conversation, party=ASSISTANT)
    conversation.refresh_from_db()
    assert (first.sequence, second.sequence) == (1, 2)
    assert second.parent == first
    assert conversation.current == second


def test_order_is_total_when_all_clocks_stand_still(
    conversation: SmartConversation,
) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    with patch("django.utils.timezone.now", return_value=moment):
        made = [say(conversation, str(number)) for number in range(5)]
    assert {message.created_at for message in made} == {moment}
    assert list(conversation.messages.all()) == made


def test_bulk_create_gives_numbers_and_parents(conversation: SmartConversation) -> None:
    say(conversation)
    lot = [
        Message(conversation=conversation, party=USER, content=str(number))
        for number in range(3)
    ]
    Message.objects.bulk_create(lot)
    conversation.refresh_from_db()
    path = Message.objects.path_to(conversation.current_id, limit=10)
    assert [message.sequence for message in path] == [1, 2, 3, 4]


def test_path_leaves_out_other_branches(conversation: SmartConversation) -> None:
    question = say(conversation)
    say(conversation, "first answer", party=ASSISTANT)
    second = say(conversation, "second answer", party=ASSISTANT, parent=question)
    assert Message.objects.path_to(second.pk, limit=10) == [question, second]


def test_path_costs_one_query_whatever_its_length(
    conversation: SmartConversation,
) -> None:
    Message.objects.bulk_create(
        Message(conversation=conversation, party=USER, content="x") for _ in range(300)
    )
    conversation.refresh_from_db()
    with CaptureQueriesContext(connection) as queries:
        path = Message.objects.path_to(conversation.current_id, limit=30)
    assert [message.sequence for message in path] == list(range(271, 301))
    assert len(queries) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"party": "NOBODY"},
        {"status": "thinking"},
        {"sequence": 1},
        {"nonce": "n1"},
    ],
)
def test_database_refuses_rows_that_make_no_sense(
    conversation: SmartConversation, fields: dict[str, Any]
) -> None:
    say(conversation, nonce="n1")
    with pytest.raises(IntegrityError), transaction.atomic():
        say(conversation, **fields)


@pytest.mark.parametrize("status", ["pending", "streaming", "waiting"])
def test_database_refuses_a_second_running_reply(
    conversation: SmartConversation, status: str
) -> None:
    running = say(conversation, party=ASSISTANT, status="pending")
    with pytest.raises(IntegrityError), transaction.atomic():
        say(conversation, party=ASSISTANT, status=status)
    assert running.is_running
    assert Message.objects.running().get() == running


def test_conversation_has_exactly_one_owner(parrot: Parrot) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        SmartConversation.objects.create(parrot=parrot)


def test_html_is_rendered_and_safe(conversation: SmartConversation) -> None:
    message = say(conversation, "**bold** <script>alert(1)</script>")
    assert "<strong>bold</strong>" in message.html
    assert "<script" not in message.html


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"error": "rate-limited"}, "busy"),
        ({"error": "a code of another release"}, "went wrong"),
        ({"finish_reason": "length"}, "cut"),
        ({"finish_reason": "stop"}, ""),
    ],
)
def test_remark_says_how_a_reply_ended(
    conversation: SmartConversation, fields: dict[str, str], words: str
) -> None:
    assert words in say(conversation, party=ASSISTANT, **fields).remark


def test_message_is_shown_by_party_and_number(conversation: SmartConversation) -> None:
    assert str(say(conversation, "secret words")) == "User 1"
