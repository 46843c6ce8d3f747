"""Calls to models: each has a row, whatever became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from polly_htmx import fragments
from polly_htmx.access import Who
from polly_htmx.chat import run_reply, stop_reply, take_turn
from polly_htmx.chat.leases import interrupt_expired
from polly_htmx.chat.replies import continue_reply
from polly_htmx.models import Message, ModelCall, Parrot, SmartConversation

pytestmark = pytest.mark.django_db(transaction=True)
BACKEND = "polly_htmx.llm.scripted.ScriptedInvoker"


@pytest.fixture
def models(settings: LazySettings, parrot: Parrot) -> Any:
    """Return a function that sets up scripted models; the Parrot uses the first."""

    def make(*scripts: dict[str, Any], **polly: Any) -> None:
        names = ["FIRST", "SECOND", "THIRD"][: len(scripts)]
        settings.POLLY = {
            **settings.POLLY,
            "RETRIES": 0,
            **polly,
            "MODELS": {
                name: {"label": f"The {name}", "backend": BACKEND, "params": script}
                for name, script in zip(names, scripts, strict=True)
            },
        }
        settings.POLLY["MODELS"]["FIRST"]["fallbacks"] = names[1:]
        parrot.model = "FIRST"
        parrot.save()

    return make


def answer(conversation: SmartConversation) -> Message:
    """Take a turn and run its reply to the end."""
    turn = take_turn(conversation, "Hello there", who=Who(user=conversation.user))
    assert turn.reply
    run_reply(turn.reply)
    turn.reply.refresh_from_db()
    return turn.reply


def calls(reply: Message) -> list[ModelCall]:
    return list(reply.calls.order_by("pk"))


def test_call_of_an_answer_tells_what_it_took(
    models: Any, conversation: SmartConversation
) -> None:
    models({"text": "One two three."})
    reply = answer(conversation)
    (call,) = calls(reply)
    assert (call.purpose, call.model, call.error) == ("reply", "FIRST", "")
    assert (call.exactness, call.output_tokens) == ("exact", 3)
    assert (call.user, call.visitor) == (conversation.user, None)
    assert call.version == reply.version
    assert call.first_token is not None
    assert call.seconds is not None
    assert call.first_token <= call.seconds
    assert reply.answered_by == ""


def test_failed_call_has_a_row_too(
    models: Any, conversation: SmartConversation
) -> None:
    models({"fault": "not-authorised"})
    (call,) = calls(answer(conversation))
    assert (call.error, call.exactness) == ("not-authorised", "unknown")
    assert (call.input_tokens, call.cost) == (None, None)


def test_every_try_has_a_row(models: Any, conversation: SmartConversation) -> None:
    models({"fault": "unavailable"}, RETRIES=1)
    reply = answer(conversation)
    assert [call.error for call in calls(reply)] == ["unavailable", "unavailable"]
    assert reply.error == "unavailable"


def test_broken_answer_is_estimated(
    models: Any, conversation: SmartConversation
) -> None:
    models({"fault": "error", "text": "One two three four"})
    (call,) = calls(answer(conversation))
    assert (call.error, call.exactness) == ("unavailable", "estimated")
    assert call.output_tokens == 2  # "One two", by four bytes
    assert call.input_tokens


def test_fallback_answers_and_the_message_says_so(
    models: Any, conversation: SmartConversation
) -> None:
    models({"fault": "not-authorised"}, {"fault": "unavailable"}, {"text": "Here."})
    reply = answer(conversation)
    assert (reply.status, reply.content) == ("complete", "Here.")
    assert [call.model for call in calls(reply)] == ["FIRST", "SECOND", "THIRD"]
    assert (reply.answered_by, reply.stand_in) == ("THIRD", "The THIRD")
    shown = fragments.ended_parcels(conversation, reply, html=None, reader="owner")
    assert "Answered by The THIRD." in "".join(shown)


def test_stand_in_that_has_gone_is_still_named(
    models: Any, conversation: SmartConversation, settings: LazySettings
) -> None:
    models({"fault": "not-authorised"}, {"text": "Here."})
    reply = answer(conversation)
    settings.POLLY = {**settings.POLLY, "MODELS": {}}
    assert reply.stand_in == "SECOND"


def test_fallback_that_nobody_knows_stops_no_other(
    models: Any, conversation: SmartConversation, settings: LazySettings
) -> None:
    models({"fault": "not-authorised"}, {"text": "Here."})
    settings.POLLY["MODELS"]["FIRST"]["fallbacks"] = ["GONE", "SECOND"]
    assert answer(conversation).answered_by == "SECOND"


def test_continued_answer_adds_its_calls(
    models: Any, conversation: SmartConversation
) -> None:
    models({"fault": "length", "text": "One two"})
    reply = answer(conversation)
    continue_reply(reply, who=Who(user=conversation.user))
    run_reply(reply)
    assert len(calls(reply)) == 2


def test_call_of_a_process_that_died_is_unknown(
    models: Any, conversation: SmartConversation
) -> None:
    models({"text": "One"})
    turn = take_turn(conversation, "Hello", who=Who(user=conversation.user))
    assert turn.reply
    Message.objects.filter(pk=turn.reply.pk).update(
        status="streaming", lease_until=timezone.now() - timedelta(seconds=1)
    )
    assert interrupt_expired() == 1
    (call,) = calls(turn.reply)
    assert (call.model, call.error) == ("FIRST", "interrupted")
    assert call.exactness == "unknown"


def test_reply_that_nobody_began_has_no_call(
    models: Any, conversation: SmartConversation
) -> None:
    models({"text": "One"})
    who = Who(user=conversation.user)
    turn = take_turn(conversation, "Hello", who=who)
    assert turn.reply
    stop_reply(turn.reply, who=who)
    assert calls(turn.reply) == []


def test_calls_outlive_their_conversation(
    models: Any, conversation: SmartConversation
) -> None:
    models({"text": "One"})
    (call,) = calls(answer(conversation))
    conversation.delete()
    call.refresh_from_db()
    assert (call.reply, call.output_tokens) == (None, 1)


def test_fallbacks_of_the_parrot_take_the_place_of_its_models(
    models: Any, conversation: SmartConversation, parrot: Parrot
) -> None:
    models({"fault": "not-authorised"}, {"text": "Second."}, {"text": "Third."})
    parrot.fallbacks = ["THIRD"]
    parrot.save()
    conversation.refresh_from_db()
    reply = answer(conversation)
    assert (reply.content, reply.answered_by) == ("Third.", "THIRD")
    assert [call.model for call in calls(reply)] == ["FIRST", "THIRD"]
    shown = fragments.ended_parcels(conversation, reply, html=None, reader="owner")
    assert "Answered by The THIRD." in "".join(shown)


def test_reply_keeps_the_fallbacks_that_it_was_asked_with(
    models: Any, conversation: SmartConversation, parrot: Parrot
) -> None:
    models({"fault": "not-authorised"}, {"text": "Second."}, {"text": "Third."})
    parrot.fallbacks = ["THIRD"]
    parrot.save()
    conversation.refresh_from_db()
    turn = take_turn(conversation, "Hello", who=Who(user=conversation.user))
    assert turn.reply
    parrot.fallbacks = []
    parrot.save()
    run_reply(turn.reply)
    turn.reply.refresh_from_db()
    assert turn.reply.answered_by == "THIRD"
    assert list(parrot.versions.values_list("fallbacks", flat=True))[-2:] == [
        ["THIRD"],
        [],
    ]


PRICE = {"input": 1_000_000, "output": 2_000_000}
"""One dollar a token, and two."""


def test_broken_answer_is_priced_by_its_estimated_tokens(
    models: Any, conversation: SmartConversation, settings: LazySettings
) -> None:
    models({"fault": "error", "text": "One two three four"})
    settings.POLLY["MODELS"]["FIRST"]["price"] = PRICE
    (call,) = calls(answer(conversation))
    assert call.exactness == "estimated"
    assert call.input_tokens
    assert call.output_tokens
    assert call.cost == call.input_tokens + 2 * call.output_tokens


def test_call_of_which_nothing_came_has_no_price(
    models: Any, conversation: SmartConversation, settings: LazySettings
) -> None:
    models({"fault": "unavailable"})
    settings.POLLY["MODELS"]["FIRST"]["price"] = PRICE
    (call,) = calls(answer(conversation))
    assert (call.exactness, call.cost) == ("unknown", None)


def test_price_is_that_of_the_time_of_the_call(
    models: Any, conversation: SmartConversation, settings: LazySettings
) -> None:
    models({"text": "One two"})
    settings.POLLY["MODELS"]["FIRST"]["price"] = PRICE
    reply = answer(conversation)
    assert calls(reply)[0].cost == 4
    settings.POLLY["MODELS"]["FIRST"]["price"] = {"input": 0, "output": 0}
    assert calls(reply)[0].cost == 4
