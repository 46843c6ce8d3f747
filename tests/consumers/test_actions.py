"""What a page asks for over its socket, beside sending; and what ends a socket."""

from __future__ import annotations

import asyncio
from typing import Any, cast
from urllib.parse import quote

import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from polly_htmx.access import Who
from polly_htmx.chat import atake_turn, dispatch
from polly_htmx.chat.conversations import state_of
from polly_htmx.chat.layer import WORKERS
from polly_htmx.models import Message, Parrot, SmartConversation
from tests.asgi import application
from tests.patience import PATIENCE
from tests.sockets import Page, page

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("replies"),
]

STREAMING = '-status="streaming"'


@pytest.fixture
def talk(parrot: Parrot, user: User, scripted: Any) -> SmartConversation:
    """Return a conversation whose answers stop half-way, and go no further."""
    scripted(text="one two three four", fault="stall")
    parrot.model = "SCRIPTED"
    parrot.save()
    return SmartConversation.objects.create(parrot=parrot, user=user)


async def act(tab: Page, action: str, message: Message, **fields: str) -> None:
    await tab.send("", action=action, target=str(message.external_id), **fields)


async def newest(talk: SmartConversation) -> Message:
    return await Message.objects.filter(conversation=talk).order_by("sequence").alast()  # type: ignore[return-value]


async def written(tab: Page) -> None:
    """Wait until an answer says "two": with its first words, or some time after them."""
    if "two" not in await tab.until(STREAMING):
        await tab.until("two")


async def stopped(tab: Page, talk: SmartConversation) -> Message:
    """Return a reply that has been asked for and stopped half-way."""
    await tab.send("Hello")
    await written(tab)
    reply = await newest(talk)
    await act(tab, "stop", reply)
    await tab.until(f"polly-foot-{reply.external_id}", '"stopped"')
    return reply


async def test_stop_continue_regenerate_and_edit(
    talk: SmartConversation, signed_in: Client, scripted: Any
) -> None:
    async with page(talk.external_id, signed_in) as tab:
        reply = await stopped(tab, talk)
        scripted(text=" and more.")
        await act(tab, "continue", reply)
        await tab.until(f"polly-foot-{reply.external_id}", '"complete"', "and more")
        await reply.arefresh_from_db()
        assert reply.content == "one two and more."
        await act(tab, "regenerate", reply)
        await tab.until('-status="complete"', "and more", "polly-foot-")
        again = await newest(talk)
        assert (again.parent_id, again.pk) != (reply.parent_id, reply.pk)
        assert again.parent_id == reply.parent_id
        question = await Message.objects.aget(conversation=talk, party="USER")
        await tab.send(
            "Hello again", action="edit", target=str(question.external_id), nonce="e1"
        )
        await tab.until("Hello again")
    edited = await Message.objects.aget(conversation=talk, nonce="e1")
    assert edited.parent_id == question.parent_id


async def test_page_loaded_during_another_version_keeps_the_way_to_the_first(
    talk: SmartConversation, signed_in: Client
) -> None:
    async with page(talk.external_id, signed_in) as tab:
        reply = await stopped(tab, talk)
        await act(tab, "regenerate", reply)
        await written(tab)
    again = await newest(talk)
    await talk.arefresh_from_db()
    query = f"?state={quote(state_of(talk))}"
    async with page(talk.external_id, signed_in, query=query) as late:
        await late.until(STREAMING, "two")
        await act(late, "stop", again)
        end = await late.until(f"polly-foot-{again.external_id}", '"stopped"')
    assert "2/2" in end


async def test_what_can_not_be_done_is_told_and_the_socket_lives_on(
    talk: SmartConversation, signed_in: Client
) -> None:
    async with page(talk.external_id, signed_in) as tab:
        await tab.send("", action="stop", target="nonsense")
        assert "not there any more" in await tab.until("polly-error-")
        await tab.send("", action="seen", target="many")
        assert "could not be read" in await tab.until("polly-error-")
        await tab.send("", action="seen", target="3")
        await tab.send("Hello", nonce="n1")
        await tab.until('data-acked="n1"')


async def test_session_that_ends_takes_an_idle_page_off_the_line(
    talk: SmartConversation, signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("polly_htmx.consumers.watch.ROUND", 0.1)
    monkeypatch.setattr("polly_htmx.consumers.watch.TICK", 0.05)
    async with page(talk.external_id, signed_in) as tab:
        await Session.objects.all().adelete()
        assert await tab.close_code() == 4401
    assert "Sign in" in tab.frames[-1]


async def test_page_that_heard_nothing_of_a_turn_finds_it(
    talk: SmartConversation,
    user: User,
    signed_in: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("polly_htmx.consumers.watch.ROUND", 0.1)
    monkeypatch.setattr("polly_htmx.consumers.watch.TICK", 0.05)

    async def drop(*_event: object) -> None:
        """Lose it, as a full layer does."""

    async with page(talk.external_id, signed_in) as tab:
        monkeypatch.setattr("polly_htmx.chat.layer.apublish", drop)
        await atake_turn(talk, "Unheard of", who=Who(user=user))
        await tab.until("Unheard of")


async def test_answer_that_nobody_tells_of_is_read_from_the_rows(
    talk: SmartConversation,
    signed_in: Client,
    scripted: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scripted(text="one two three four", pace=0.3)
    monkeypatch.setattr("polly_htmx.consumers.base.SILENCE", 0.1)
    monkeypatch.setattr("polly_htmx.consumers.watch.POLL", 0.1)
    monkeypatch.setattr("polly_htmx.consumers.watch.TICK", 0.05)
    monkeypatch.setattr("polly_htmx.consumers.watch.ROUND", 0.5)
    monkeypatch.setattr("polly_htmx.chat.keeper.CHECKPOINT_SECONDS", 0.2)

    async def drop(*_event: object) -> None:
        """Lose it, as a layer that is down does."""

    async with page(talk.external_id, signed_in) as tab:
        await tab.send("Hello")
        await tab.until("polly-message-", "Hello")
        monkeypatch.setattr("polly_htmx.chat.layer.apublish", drop)
        monkeypatch.setattr("polly_htmx.chat.layer.asend", drop)
        await tab.until("one two three four", '"complete"')


async def test_flood_is_told_once_and_ended(
    talk: SmartConversation, signed_in: Client
) -> None:
    async with page(talk.external_id, signed_in) as tab:
        for _ in range(140):
            await tab.raw('{"action": "seen", "target": "1"}')
        assert await tab.close_code() == 4429
    assert "too much at once" in tab.frames[-1]


async def test_worker_writes_a_reply_that_it_is_told_of(
    talk: SmartConversation, user: User, settings: Any, scripted: Any
) -> None:
    scripted(text="By a worker.")
    await dispatch.ashutdown()  # The turn is taken where nobody serves.
    turn = await atake_turn(talk, "Hello", who=Who(user=user))
    assert turn.reply is not None
    scope = {"type": "channel", "channel": WORKERS}
    worker: Any = cast("Any", ApplicationCommunicator)(application, scope)
    await worker.send_input({"type": "polly.run", "reply_id": turn.reply.pk})
    async with asyncio.timeout(PATIENCE):
        while turn.reply.status != "complete":
            await asyncio.sleep(0.02)
            await turn.reply.arefresh_from_db()
    assert turn.reply.content == "By a worker."
    await worker.wait(timeout=0)
