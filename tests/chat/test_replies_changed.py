"""Continue and edit: what becomes of the rows, and who may do it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from polly_htmx import exceptions
from polly_htmx.access import Who
from polly_htmx.chat import (
    continue_reply,
    edit_message,
    stop_reply,
    take_turn,
)
from polly_htmx.chat.history import GO_ON, prompt_for
from polly_htmx.models import Message, Parrot, SmartConversation
from tests.chat.halves import question_of, reply_of, retire
from tests.chat.threads import at_once

pytestmark = pytest.mark.django_db
Committed = Callable[..., Any]
Status = Message.Status
Ended = Callable[..., Message]


# Continue


@pytest.mark.parametrize(
    "how",
    [
        {"status": "stopped"},
        {"status": "stopped", "content": ""},
        {"status": "interrupted", "error": "interrupted"},
        {"status": "failed", "error": "timed-out"},
        {"status": "complete", "finish_reason": "length"},
        {"status": "complete", "finish_reason": "cut"},
    ],
)
def test_broken_reply_goes_on_in_the_same_row(
    ended: Ended, who: Who, how: dict[str, str]
) -> None:
    old = ended(finished_at=timezone.now(), stop_requested=True, **how)
    new = continue_reply(old, who=who)
    assert (new.pk, new.status, new.content) == (old.pk, "pending", old.content)
    assert (new.error, new.finish_reason, new.finished_at) == ("", "", None)
    assert not new.stop_requested
    assert new.conversation.last_sequence == 2


@pytest.mark.parametrize(
    "how",
    [
        {"finish_reason": "stop"},
        {"status": "failed", "content": "", "error": "timed-out"},
        {"status": "failed", "error": "withheld"},
    ],
)
def test_other_replies_do_not_go_on(
    ended: Ended, who: Who, how: dict[str, str]
) -> None:
    with pytest.raises(exceptions.NotContinuable):
        continue_reply(ended(**how), who=who)


def test_only_the_end_of_the_path_goes_on(ended: Ended, who: Who) -> None:
    first = ended("one", status="stopped")
    second = ended("two", status="stopped")
    for earlier in (first, question_of(second)):
        with pytest.raises(exceptions.NotContinuable):
            continue_reply(earlier, who=who)
    assert continue_reply(second, who=who) == second


def test_a_retired_parrot_does_not_go_on(
    ended: Ended, who: Who, parrot: Parrot
) -> None:
    broken = ended(status="stopped")
    retire(parrot)
    with pytest.raises(exceptions.ParrotRetired):
        continue_reply(broken, who=who)


def test_reply_whose_runner_died_goes_on_at_once(ended: Ended, who: Who) -> None:
    dead = ended(status=Status.STREAMING, lease_until=timezone.now())
    assert continue_reply(dead, who=who).content == "One two"


def test_the_model_is_shown_its_words_and_asked_for_the_rest(
    ended: Ended, who: Who
) -> None:
    prompt = prompt_for(continue_reply(ended(status="stopped"), who=who))
    assert prompt.history == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "One two"},
    ]
    assert prompt.text == GO_ON


def test_a_reply_stopped_before_its_first_word_is_asked_for_as_before(
    ended: Ended, who: Who
) -> None:
    prompt = prompt_for(continue_reply(ended(status="stopped", content=""), who=who))
    assert (prompt.history, prompt.text) == ([], "Hi")


@pytest.mark.django_db(transaction=True)
def test_of_two_who_go_on_at_once_one_succeeds(ended: Ended, who: Who) -> None:
    broken = ended(status="stopped")
    results = at_once([partial(continue_reply, broken, who=who)] * 4)
    assert [type(each) for each in results].count(Message) == 1
    refused = [each for each in results if not isinstance(each, Message)]
    assert {type(each) for each in refused} == {exceptions.ReplyRunning}


# Edit


def test_edited_message_is_a_sibling_with_a_reply_of_its_own(
    ended: Ended, who: Who, conversation: SmartConversation
) -> None:
    first, last = ended("one"), ended("two")
    turn = edit_message(question_of(last), "zwei", who=who, instructions="Be brief.")
    conversation.refresh_from_db()
    assert (turn.message.parent, turn.message.content) == (first, "zwei")
    assert (turn.reply.parent, turn.reply.status) == (turn.message, "pending")
    assert turn.reply.instructions == "Be brief."
    assert conversation.current == turn.reply
    path = Message.objects.path_to(reply_of(turn).pk, limit=10)
    assert [each.sequence for each in path] == [1, 2, 5, 6]


def test_the_first_message_can_be_edited(ended: Ended, who: Who) -> None:
    turn = edit_message(question_of(ended("one")), "eins", who=who)
    assert turn.message.parent is None
    assert prompt_for(reply_of(turn)).text == "eins"


def test_same_edit_again_is_one_turn(ended: Ended, who: Who) -> None:
    first, second = (question_of(ended(text)) for text in ("one", "two"))
    turn = edit_message(second, "zwei", who=who, nonce="e1")
    again = edit_message(second, "zwei", who=who, nonce="e1")
    assert (again.message, again.reply) == (turn.message, turn.reply)
    for place, text in ((second, "drei"), (first, "zwei")):
        with pytest.raises(exceptions.NonceReused):
            edit_message(place, text, who=who, nonce="e1")


def test_nobody_edits_what_another_wrote(
    ended: Ended, who: Who, other_user: User
) -> None:
    reply = ended()
    with pytest.raises(exceptions.NotAllowed):
        edit_message(reply, "Mine", who=who)
    message = question_of(reply)
    message.author = other_user
    with pytest.raises(exceptions.NotAllowed):
        edit_message(message, "Mine", who=who)


def test_a_visitor_edits_a_message_of_their_own(parrot: Parrot) -> None:
    visitor = Who(visitor=uuid.uuid4())
    own = SmartConversation.objects.create(parrot=parrot, visitor=visitor.visitor)
    turn = take_turn(own, "Hi", who=visitor)
    stop_reply(reply_of(turn), who=visitor)
    assert edit_message(turn.message, "Ho", who=visitor).reply


@pytest.mark.parametrize("text", [" ", "x" * 16_001])
def test_edited_text_is_checked_like_any(ended: Ended, who: Who, text: str) -> None:
    with pytest.raises((exceptions.BlankMessage, exceptions.MessageTooLong)):
        edit_message(question_of(ended()), text, who=who)
