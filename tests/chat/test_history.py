"""History: what a model is told of a long conversation, and what a reader is told of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from polly_htmx import fragments, hooks
from polly_htmx.access import Who
from polly_htmx.chat import continue_reply, history, regenerate, run_reply, take_turn
from polly_htmx.exceptions import user_message_for
from polly_htmx.hooks import Hook
from polly_htmx.llm import window
from polly_htmx.models import Message, SmartConversation
from tests.chat.recording import requests
from tests.chat.test_runner import Talk, talk
from tests.sockets import page

__all__ = ["talk"]
pytestmark = pytest.mark.django_db(transaction=True)
WORDS = "word " * 100


class Keeper(Hook):
    """Sums up by counting."""

    async def summary(
        self, text: str, *, left_out: Sequence[dict[str, Any]], reply: Message
    ) -> str:
        return f"{text}{reply.party}: {len(left_out)} left out."


class Broken(Hook):
    """Fails."""

    def summary(self, text: str, *, left_out: Any, reply: Message) -> str:
        raise RuntimeError("SECRET")


@pytest.fixture
def long_talk(
    talk: Talk, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> SmartConversation:
    """Return a conversation of 30 turns, and a model that reads 1,000 tokens."""
    conversation = talk(text="Fine.", max_tokens=300)
    settings.POLLY["MODELS"]["SCRIPTED"]["backend"] = (
        "tests.chat.recording.RecordingInvoker"
    )
    settings.POLLY["MESSAGES_PER_MINUTE"] = 100_000
    requests.clear()
    monkeypatch.setattr(window, "DEFAULT_WINDOW", 1_000)
    fill(conversation, 60)
    return conversation


def fill(conversation: SmartConversation, count: int, text: str = WORDS) -> None:
    """Add messages to a conversation, of both sides in turn."""
    parties = (Message.Party.USER, Message.Party.ASSISTANT)
    Message.objects.bulk_create(
        Message(conversation=conversation, party=parties[n % 2], content=f"{n} {text}")
        for n in range(count)
    )


def answer(conversation: SmartConversation, text: str = "Hi") -> Message:
    """Take a turn and return its reply at the end."""
    turn = take_turn(conversation, text, who=Who(user=conversation.user))
    assert turn.reply
    return run(turn.reply)


def run(reply: Message) -> Message:
    """Run a reply, and return it as it is in the database."""
    run_reply(reply)
    return Message.objects.get(pk=reply.pk)


def told() -> list[str]:
    """Return the first words of what the model was told last."""
    return [each["content"].split()[0] for each in requests[-1]]


def test_the_oldest_turns_are_left_out_and_told(long_talk: SmartConversation) -> None:
    reply = answer(long_talk)
    assert reply.status == "complete"
    assert told() == ["You", "56", "57", "58", "59", "Hi"]
    assert reply.left_out == 56
    shown = fragments.ended_parcels(long_talk, reply, html=None, reader="owner")
    assert "56 earlier messages were not sent to the model." in "".join(shown)


def test_a_short_talk_is_told_whole_and_nothing_is_said(
    long_talk: SmartConversation,
) -> None:
    short = SmartConversation.objects.create(
        parrot=long_talk.parrot, user=long_talk.user
    )
    answer(short, "one")
    reply = answer(short, "two")
    assert told() == ["You", "one", "Fine.", "two"]
    assert (reply.left_out, reply.left_out_remark) == (0, "")


def test_one_that_is_left_out_is_told_in_the_singular() -> None:
    assert Message(left_out=1).left_out_remark.startswith("1 earlier message was not")


def test_a_message_too_long_is_told_and_never_sent(
    long_talk: SmartConversation,
) -> None:
    reply = answer(long_talk, "word " * 1_000)
    assert requests == []
    assert (reply.status, reply.error) == ("failed", "message-too-long-for-model")
    assert "too long for this model" in user_message_for(reply.error)
    assert reply.parent.content.startswith("word word"), "The text stays."
    assert answer(long_talk, "Shorter").status == "complete"


def test_the_rest_of_an_answer_is_asked_for_with_its_question(
    long_talk: SmartConversation,
) -> None:
    reply = answer(long_talk)
    Message.objects.filter(pk=reply.pk).update(status="stopped", content=WORDS * 3)
    reply.refresh_from_db()
    run(continue_reply(reply, who=Who(user=long_talk.user)))
    assert told() == ["You", "Hi", "word", "Your"]


def test_messages_without_a_word_are_not_counted(
    long_talk: SmartConversation,
) -> None:
    Message.objects.filter(content__startswith="1 ").update(content="")
    assert answer(long_talk).left_out == 55


def test_other_branches_are_not_counted(long_talk: SmartConversation) -> None:
    first = answer(long_talk)
    for _ in range(3):
        last = run(regenerate(first, who=Who(user=long_talk.user)))
    assert last.sequence > first.sequence
    assert answer(long_talk, "More").left_out == last.left_out


@contextmanager
def queries() -> Iterator[CaptureQueriesContext]:
    with CaptureQueriesContext(connection) as captured:
        yield captured


def test_what_is_read_follows_the_window_and_not_the_length(
    long_talk: SmartConversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGE", 10)
    reads = []
    for count in (60, 2_000):
        fill(long_talk, count)
        long_talk.refresh_from_db()
        turn = take_turn(long_talk, "Hi", who=Who(user=long_talk.user))
        reply = Message.objects.get(pk=turn.reply.pk)
        with queries() as captured:
            prompt = history.prompt_for(reply)
        reads.append((len(captured), len(prompt.history)))
        assert prompt.unread > 0
        run(reply)
    assert reads[0] == reads[1]
    assert reads[0][1] < 40


def test_pages_are_read_until_all_is_there(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = talk(text="Fine.")
    fill(conversation, 25, "short")
    monkeypatch.setattr(history, "PAGE", 10)
    turn = take_turn(conversation, "Hi", who=Who(user=conversation.user))
    prompt = history.prompt_for(Message.objects.get(pk=turn.reply.pk))
    assert prompt.unread == 0
    said = [each["content"] for each in prompt.history]
    assert said == [f"{n} short" for n in range(25)]
    assert prompt.text == "Hi"


def test_so_many_that_nobody_counts_are_told_by_number(
    long_talk: SmartConversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGE", 5)
    monkeypatch.setattr(history, "MOST", 20)
    assert answer(long_talk).left_out == 56


def test_hooks_sum_up_what_is_left_out(
    long_talk: SmartConversation, settings: LazySettings
) -> None:
    here = "tests.chat.test_history"
    settings.POLLY = {**settings.POLLY, "HOOKS": [f"{here}.Keeper", f"{here}.Keeper"]}
    answer(long_talk)
    assert requests[-1][0]["content"] == (
        "You are a parrot.\n\nASSISTANT: 56 left out.ASSISTANT: 56 left out."
    )


def test_a_broken_summary_stops_no_answer(
    long_talk: SmartConversation,
    settings: LazySettings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.POLLY = {**settings.POLLY, "HOOKS": ["tests.chat.test_history.Broken"]}
    assert answer(long_talk).status == "complete"
    assert requests[-1][0]["content"] == "You are a parrot."
    assert "RuntimeError" in caplog.text
    assert "SECRET" not in caplog.text


def test_without_hooks_nobody_is_asked(conversation: SmartConversation) -> None:
    assert hooks.summariser(Message(conversation=conversation)) is None


@pytest.mark.usefixtures("replies")
async def test_the_line_comes_with_the_end_of_a_reply(
    long_talk: SmartConversation, signed_in: Client
) -> None:
    async with page(long_talk.external_id, signed_in) as tab:
        await tab.send("Hi")
        frame = await tab.until("56 earlier messages were not sent to the model.")
    assert "has answered." in frame
