"""Where a day's cap is met: titles, questions, the queue, pages and the model itself."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import translation

from polly_htmx import fragments
from polly_htmx.access import Who
from polly_htmx.chat import (
    dispatch,
    run_reply,
    send_message,
    stop_reply,
    take_turn,
    waiting,
)
from polly_htmx.chat.history import prompt_for
from polly_htmx.chat.queue import move_all_on
from polly_htmx.exceptions import ParrotRetired, TooManyMessages
from polly_htmx.llm.exceptions import TimedOut
from polly_htmx.models import (
    Message,
    ModelCall,
    Parrot,
    QueuedMessage,
    SmartConversation,
)
from polly_htmx.models.exceptions import OwnDayUsedUp, ParrotsDayUsedUp
from tests.chat.halves import reply_of
from tests.chat.threads import at_once
from tests.fake_provider import FakeProvider
from tests.fake_scripts import SCRIPTS
from tests.live import provided
from tests.patience import PATIENCE
from tests.sockets import page

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("one_day"),
]

BACKEND = "polly_htmx.llm.scripted.ScriptedInvoker"
OUTPUT = 100


@pytest.fixture
def bird(settings: LazySettings, user: User) -> Parrot:
    """Return a Parrot whose answers have a limit."""
    script = {"text": "One two", "max_tokens": OUTPUT}
    models = {"M": {"label": "M", "backend": BACKEND, "params": script}}
    settings.POLLY = {**settings.POLLY, "MODELS": models, "RETRIES": 0}
    return Parrot.objects.create(name="Polly", model="M")


@pytest.fixture
def chat(bird: Parrot, user: User) -> SmartConversation:
    return SmartConversation.objects.create(parrot=bird, user=user)


def spend(tokens: int, **whose: Any) -> None:
    """Let a call have taken something today."""
    ModelCall.objects.create(
        purpose="reply",
        exactness="exact",
        input_tokens=tokens,
        output_tokens=0,
        **whose,
    )


def cap(settings: LazySettings, tokens: int) -> None:
    settings.POLLY = {**settings.POLLY, "DAILY_TOKENS": tokens}


# The model


def test_answer_is_cut_to_what_is_left_of_the_day(
    conversation: SmartConversation, who: Who, settings: LazySettings
) -> None:
    cap(settings, 1000)
    reply = reply_of(take_turn(conversation, "Hi", who=who))
    limit = reply.reserved_output
    assert limit
    assert reply.reserved_tokens == 1000
    assert prompt_for(reply).parameters == {"max_tokens": limit}
    assert (
        prompt_for(Message.objects.get(pk=reply.pk)).parameters["max_tokens"] == limit
    )


def test_provider_is_told_the_limit(
    conversation: SmartConversation, parrot: Parrot, who: Who, settings: LazySettings
) -> None:
    with FakeProvider(SCRIPTS) as provider:
        settings.POLLY = {**provided(provider.url, "good"), "DAILY_TOKENS": 1000}
        Parrot.objects.update(model="MOCK")
        parrot.refresh_from_db()
        parrot.save()
        conversation.refresh_from_db()
        reply = reply_of(take_turn(conversation, "Hi", who=who))
        run_reply(reply)
        assert provider.last.body["max_tokens"] == reply.reserved_output
        assert provider.last.body["max_tokens"] < 1000
        parrot.daily_tokens = 2000
        parrot.save()
        parrot.ask("Hi")
        assert 1000 < provider.last.body["max_tokens"] < 2000
    reply.refresh_from_db()
    assert reply.status == Message.Status.COMPLETE


def test_a_model_that_is_gone_fails_as_ever_and_reserves_nothing(
    chat: SmartConversation, who: Who, settings: LazySettings
) -> None:
    cap(settings, 1000)
    Parrot.objects.update(model="GONE")
    chat.parrot.refresh_from_db()
    chat.parrot.save()
    reply = reply_of(take_turn(chat, "Hi", who=who))
    assert reply.reserved_tokens is None
    run_reply(reply)
    reply.refresh_from_db()
    assert (reply.status, reply.error) == ("failed", "unknown-model")


# Questions outside of conversations


def test_question_takes_of_the_parrots_day(bird: Parrot) -> None:
    bird.daily_tokens = 1000
    bird.save()
    bird.ask("Hello")
    call = ModelCall.objects.get()
    assert (call.purpose, call.output_tokens, call.held_tokens) == ("ask", 2, None)
    spend(990, version=bird.current_version())
    with pytest.raises(ParrotsDayUsedUp):
        bird.ask("Hello")
    assert ModelCall.objects.count() == 2


async def test_question_of_async_code_takes_of_it_too(bird: Parrot) -> None:
    bird.daily_tokens = 10
    await bird.asave()
    with pytest.raises(ParrotsDayUsedUp):
        await bird.aask("Hello")


def test_question_of_which_nobody_knows_goes_on_being_held(
    bird: Parrot, settings: LazySettings
) -> None:
    settings.POLLY["MODELS"]["M"]["params"]["fault"] = "hang"
    settings.POLLY["FIRST_TOKEN_TIMEOUT"] = 0.1
    bird.daily_tokens = 1000
    bird.save()
    with pytest.raises(TimedOut):
        bird.ask("Hello")
    call = ModelCall.objects.get()
    assert (call.error, call.input_tokens) == ("timed-out", None)
    assert call.held_tokens
    assert call.held_tokens > OUTPUT


def test_question_of_an_object_older_than_its_row_counts_all_the_same(
    bird: Parrot,
) -> None:
    bird.daily_tokens = 1000
    bird.save()
    bird.system_prompt = "Another."
    bird.ask("Hello")
    assert ModelCall.objects.get().version == bird.versions.get()


def test_of_many_questions_at_once_those_pass_that_fit(bird: Parrot) -> None:
    bird.daily_tokens = 10_000
    bird.save()
    _connect, held = bird._connect("Hello")
    room = held.held_tokens
    held.delete()
    bird.daily_tokens = 3 * room - 1
    bird.save()
    same = [Parrot.objects.get(pk=bird.pk) for _ in range(8)]
    results = at_once(partial(each._connect, "Hello") for each in same)
    refused = [each for each in results if isinstance(each, ParrotsDayUsedUp)]
    assert (len(refused), ModelCall.objects.count()) == (6, 2)


# Titles


@pytest.fixture
async def exchange(
    chat: SmartConversation, settings: LazySettings
) -> AsyncIterator[Callable[..., Awaitable[Message]]]:
    """Return a function that lets the chat have an answer, and all that follows."""
    dispatch.serve()

    async def have(**polly: Any) -> Message:
        settings.POLLY = {**settings.POLLY, "TITLES": True, **polly}
        who = Who(user=chat.user)
        turn = await sync_to_async(take_turn)(chat, "Hi", who=who)
        reply = reply_of(turn)
        async with asyncio.timeout(PATIENCE):
            while reply.is_running:
                await asyncio.sleep(0.01)
                await reply.arefresh_from_db()
        return reply

    yield have
    await dispatch.ashutdown()


async def until_titled(chat: SmartConversation) -> None:
    async with asyncio.timeout(PATIENCE):
        while not chat.title:
            await asyncio.sleep(0.01)
            await chat.arefresh_from_db()


async def test_title_is_settled_by_what_it_took(
    chat: SmartConversation, exchange: Callable[..., Awaitable[Message]]
) -> None:
    await exchange(DAILY_TOKENS=100_000)
    await until_titled(chat)
    rows = ModelCall.objects.order_by("pk").values_list("purpose", "held_tokens")
    assert [row async for row in rows] == [("reply", None), ("title", None)]


async def test_no_title_is_made_of_a_day_that_is_used_up(
    chat: SmartConversation,
    exchange: Callable[..., Awaitable[Message]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    await exchange(DAILY_TOKENS=250)
    await dispatch.ashutdown()
    await chat.arefresh_from_db()
    assert chat.title == ""
    assert await ModelCall.objects.filter(purpose="title").acount() == 0
    assert "no title" not in caplog.text


# The queue


def test_what_waits_goes_on_waiting_until_the_day_has_room(
    chat: SmartConversation, who: Who, settings: LazySettings
) -> None:
    cap(settings, 1000)
    busy = reply_of(take_turn(chat, "one", who=who))
    assert isinstance(send_message(chat, "two", who=who), QueuedMessage)
    spend(900, user=who.user)
    run_reply(busy)
    assert QueuedMessage.objects.get().content == "two"
    chat.refresh_from_db()
    assert (chat.queued, chat.messages.count(), chat.last_sequence) == (1, 2, 2)
    told = fragments.queue(chat)
    assert "You have used up your share of answers for today." in told
    assert "Not sent yet: it goes as soon as it may." in told
    with translation.override("de"):
        assert "Noch nicht gesendet" in fragments.queue(chat)
    late = ModelCall.objects.filter(input_tokens=900)
    late.update(created_at=late[0].created_at - timedelta(days=1))
    move_all_on()
    assert not QueuedMessage.objects.exists()
    assert chat.messages.filter(content="two").exists()


def test_pages_are_told_once_why_it_waits_however_often_it_is_tried(
    chat: SmartConversation,
    who: Who,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cap(settings, 1000)
    busy = reply_of(take_turn(chat, "one", who=who))
    send_message(chat, "two", who=who)
    spend(900, user=who.user)
    told: list[object] = []
    monkeypatch.setattr(waiting, "announce", lambda *about: told.append(about))
    run_reply(busy)
    move_all_on()
    move_all_on()
    assert len(told) == 1
    assert QueuedMessage.objects.get().why


def test_other_reasons_are_told_in_their_own_words(chat: SmartConversation) -> None:
    for exc, words in (
        (OwnDayUsedUp("long"), "A new chat takes less."),
        (ParrotsDayUsedUp("used", 60), "all the answers that it may give today"),
        (ParrotRetired(), "has retired"),
        # They pass by themselves before anybody has read why.
        (OwnDayUsedUp("held"), ""),
        (TooManyMessages(3), ""),
    ):
        QueuedMessage.objects.all().delete()
        QueuedMessage.objects.create(conversation=chat, content="two")
        waiting.keep_refusal(chat, exc)
        why = QueuedMessage.objects.get().why
        assert words in why
        assert bool(why) == bool(words)


# Pages


@pytest.mark.usefixtures("replies")
async def test_socket_says_why_and_lives_on(
    chat: SmartConversation, signed_in: Client, settings: LazySettings
) -> None:
    cap(settings, 10)
    async with page(chat.external_id, signed_in) as tab:
        await tab.send("Hello", nonce="n1")
        said = await tab.until("polly-error-", "You have used up your share")
        assert "There is more in" in said
        assert not any('data-acked="n1"' in frame for frame in tab.frames)
        cap(settings, 0)
        await tab.send("Hello", nonce="n1")
        await tab.until('data-acked="n1"')


def test_plain_page_keeps_what_was_typed(
    chat: SmartConversation, signed_in: Client, bird: Parrot
) -> None:
    bird.daily_tokens = 10
    bird.save()
    url = f"{chat.get_absolute_url()}send/"
    response = signed_in.post(url, {"message": "Hi <b>"})
    assert response.status_code == HTTPStatus.BAD_REQUEST
    shown = response.content.decode()
    assert "all the answers that it may give today" in shown
    assert "Hi &lt;b&gt;</textarea>" in shown
    assert not chat.messages.exists()


def test_terminal_says_why(
    chat: SmartConversation,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cap(settings, 10)
    monkeypatch.setattr("sys.stdin", io.StringIO("Hello\n"))
    with pytest.raises(CommandError, match="used up your share"):
        call_command("polly_chat", conversation=str(chat.external_id))


def test_refused_turn_leaves_the_chat_as_it_was(
    chat: SmartConversation, who: Who, settings: LazySettings
) -> None:
    stop_reply(reply_of(take_turn(chat, "Hi", who=who)), who=who)
    chat.refresh_from_db()
    before = (chat.last_sequence, chat.current_id, chat.updated_at)
    cap(settings, 10)
    with pytest.raises(OwnDayUsedUp):
        take_turn(chat, "Ho", who=who)
    chat.refresh_from_db()
    assert (chat.last_sequence, chat.current_id, chat.updated_at) == before
