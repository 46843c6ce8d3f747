"""Titles that models give: when, which, what they cost, and never over a person's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import LazySettings
from django.contrib.auth.models import User

from polly_htmx.access import Who
from polly_htmx.chat import dispatch, shelf, take_turn
from polly_htmx.chat.titles import usable
from polly_htmx.hooks import Hook, Veto
from polly_htmx.models import Message, ModelCall, Parrot, SmartConversation
from tests.live import scripted as script
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

TitledBy = SmartConversation.TitledBy
Ask = Callable[..., Awaitable[SmartConversation]]


class NoTitles(Hook):
    """Lets no title through."""

    def block(self, text: str, **_about: Any) -> str:
        if "Seeds" in text:
            raise Veto
        return text


@pytest.fixture
async def ask(user: User, settings: LazySettings) -> AsyncIterator[Ask]:
    """Return a function that lets a chat have an exchange, and its title be made."""
    dispatch.serve()
    who = Who(user=user)

    async def exchange(
        titles: dict[str, Any], *, times: int = 1, **polly: Any
    ) -> SmartConversation:
        answer, title = script(text="An answer."), script(**titles)
        models = {"ANSWER": answer["MODELS"]["SCRIPTED"]}
        models["TITLE"] = title["MODELS"]["SCRIPTED"]
        settings.POLLY = {"MODELS": models, "TITLES": "TITLE", **polly}
        parrot = await Parrot.objects.acreate(name="Polly", model="ANSWER")
        chat = await SmartConversation.objects.acreate(parrot=parrot, user=user)
        for number in range(times):
            await sync_to_async(take_turn)(chat, f"Hello {number}", who=who)
            await until(no_reply_runs)
        return chat

    yield exchange
    await dispatch.ashutdown()


async def no_reply_runs() -> bool:
    return not await Message.objects.running().aexists()


async def called() -> bool:
    return await ModelCall.objects.filter(purpose="title").aexists()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await holds():  # noqa: ASYNC110  (rows ring no bell)
            await asyncio.sleep(0.01)


async def test_a_model_names_a_chat_after_its_first_answer(ask: Ask) -> None:
    chat = await ask({"text": '**"Seeds and fruit"**'})
    await until(called)
    await until(lambda: titled(chat))
    assert (chat.title, chat.titled_by) == ("Seeds and fruit", TitledBy.MODEL)
    call = await ModelCall.objects.aget(purpose="title")
    assert (call.model, call.reply_id, call.user_id) == ("TITLE", None, chat.user_id)
    assert call.exactness == "exact"


async def titled(chat: SmartConversation) -> bool:
    await chat.arefresh_from_db()
    return bool(chat.title)


async def test_the_model_that_answered_is_asked_if_none_is_named(ask: Ask) -> None:
    chat = await ask({}, TITLES=True)
    await until(lambda: titled(chat))
    assert chat.title == "An answer"


async def test_one_title_is_made_and_only_once(ask: Ask) -> None:
    chat = await ask({"text": "Sure! Here is a title for you."}, times=3)
    await until(called)
    await chat.arefresh_from_db()
    assert chat.title == ""
    assert await ModelCall.objects.filter(purpose="title").acount() == 1


async def test_no_model_is_asked_where_titles_are_off(ask: Ask) -> None:
    await ask({"text": "Seeds"}, TITLES=False)
    assert not await called()


async def test_a_title_that_a_person_gives_meanwhile_stays(
    ask: Ask, user: User
) -> None:
    chat = await ask({"text": "Seeds", "first": 0.5})
    await sync_to_async(shelf.rename)(chat, "Mine", who=Who(user=user))
    await until(called)
    await chat.arefresh_from_db()
    assert (chat.title, chat.titled_by) == ("Mine", TitledBy.PERSON)


async def test_a_title_that_a_person_took_away_stays_away(ask: Ask, user: User) -> None:
    chat = await ask({"text": "Seeds", "first": 0.5})
    await sync_to_async(shelf.rename)(chat, "", who=Who(user=user))
    await until(called)
    await chat.arefresh_from_db()
    assert chat.title == ""


@pytest.mark.parametrize("fault", ["unavailable", "error", "empty", "not-configured"])
async def test_a_model_that_fails_leaves_the_first_words(ask: Ask, fault: str) -> None:
    chat = await ask({"text": "Seeds", "fault": fault}, RETRIES=0)
    await until(called)
    await chat.arefresh_from_db()
    assert (chat.title, chat.titled_by) == ("", TitledBy.NOBODY)
    reply = await Message.objects.aget(party="ASSISTANT")
    assert (reply.status, reply.content) == ("complete", "An answer.")


async def test_hooks_see_titles_as_they_see_answers(ask: Ask) -> None:
    hook = f"{__name__}.{NoTitles.__name__}"
    chat = await ask({"text": "Seeds"}, HOOKS=[hook])
    await until(called)
    await chat.arefresh_from_db()
    assert chat.title == ""


async def test_a_call_that_shutdown_ends_is_written_down(ask: Ask) -> None:
    await ask({"text": "Seeds", "fault": "stall"})
    await dispatch.ashutdown()
    assert await called()


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Feeding parrots", "Feeding parrots"),
        ("  “Papageien füttern.”\n", "Papageien füttern"),
        ("Title: **What parrots eat**", "What parrots eat"),
        ("# Parrots", "Parrots"),
        ("鸚鵡吃什麼", "鸚鵡吃什麼"),
        ("Par\u202erots\u200b and\tseeds", "Parrots and seeds"),
        ("C++ & <b>", "C++ & <b"),
        ("", ""),
        ("...", ""),
        ("Sure, here is one", ""),
        ("<think>", ""),
        ("First\nSecond", ""),
        ("I'm a parrot", ""),
        ("word " * 13, ""),
        ("x" * 81, ""),
    ],
)
def test_what_is_usable_as_a_title(said: str, title: str) -> None:
    assert usable(said) == title
