"""What the database, or a host's own code, does to a page: it is told, and goes on."""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn

import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError
from django.test import Client

from polly_htmx import access
from polly_htmx.consumers import SmartGPTConsumer, closing, follower
from polly_htmx.hooks import Hook
from polly_htmx.models import Message, Parrot, SmartConversation
from polly_htmx.signals import turn_taken
from tests.patience import PATIENCE
from tests.sockets import Page, chat_path, communicator, page

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("replies"),
]


class Slow(Hook):
    """Asks a service that takes its time."""

    may_pass = asyncio.Event()
    is_asked = asyncio.Event()

    async def message(self, text: str, **_about: Any) -> str:
        self.is_asked.set()
        await self.may_pass.wait()
        return text


WORDS = "CANARY: SELECT content FROM polly_htmx_message"


def fail(*_args: object, **_about: object) -> NoReturn:
    """Fail in words that nobody may read."""
    raise DatabaseError(WORDS)


@pytest.fixture
async def slow(settings: Any, monkeypatch: pytest.MonkeyPatch) -> type[Slow]:
    """Let a slow hook see messages, which lets them pass until it is told to wait."""
    settings.POLLY = {**settings.POLLY, "HOOKS": [f"{__name__}.Slow"]}
    # Of this test's loop.
    monkeypatch.setattr(Slow, "may_pass", asyncio.Event())
    monkeypatch.setattr(Slow, "is_asked", asyncio.Event())
    Slow.may_pass.set()
    return Slow


async def the_running(conversation: SmartConversation) -> Message:
    """Return the reply that runs, once there is one."""
    running = conversation.messages.running()
    async with asyncio.timeout(PATIENCE):
        while (reply := await running.afirst()) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return reply


async def test_fault_of_the_database_is_told_and_the_line_stays(
    conversation: SmartConversation,
    signed_in: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with page(conversation.external_id, signed_in) as tab:
        with monkeypatch.context() as patch:
            patch.setattr(access, "open_conversation", fail)
            await tab.send("Hello", nonce="n1")
            frame = await tab.until("polly-error-")
        assert "Something went wrong. Please try again." in frame
        await tab.send("Hello", nonce="n1")
        await tab.until('data-acked="n1"')
        await tab.until("has answered.")
    assert await Message.objects.acount() == 2
    assert "fault=DatabaseError at=" in caplog.text
    assert not [text for text in (*tab.frames, caplog.text) if "CANARY" in text]


@pytest.mark.parametrize(
    ("place", "is_accepted"), [("open_conversation", False), ("look", True)]
)
async def test_page_whose_line_can_not_be_opened_is_told_to_come_back(
    place: str,
    is_accepted: bool,
    conversation: SmartConversation,
    signed_in: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(
        access if place == "open_conversation" else follower, place, fail
    )
    path = chat_path(conversation.external_id)
    socket = await sync_to_async(communicator)(path, signed_in)
    assert (await socket.connect(timeout=PATIENCE))[0] == is_accepted
    if is_accepted:
        # By 1011, which a server sends for a socket that failed, htmx 2 stays away.
        assert await Page(socket).close_code() == closing.COME_BACK
    await socket.disconnect()
    assert "socket not opened fault=DatabaseError at=" in caplog.text
    assert "CANARY" not in caplog.text


async def test_page_is_told_to_come_back_when_nobody_knows_whose_it_is(
    conversation: SmartConversation,
    signed_in: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    socket = await sync_to_async(communicator)(
        chat_path(conversation.external_id), signed_in
    )
    monkeypatch.setattr("channels.auth._get_user_session_key", fail)
    assert not (await socket.connect(timeout=PATIENCE))[0]
    assert "no session fault=DatabaseError at=" in caplog.text
    assert "CANARY" not in caplog.text


async def test_hook_that_fails_is_told_and_the_line_stays(
    conversation: SmartConversation,
    signed_in: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(SmartGPTConsumer, "get_context", fail)
    async with page(conversation.external_id, signed_in) as tab:
        for nonce in ("n1", "n2"):
            await tab.send("Hello", nonce=nonce)
            await tab.until("Something went wrong. Please try again.")
    assert not await Message.objects.aexists()


async def test_stop_does_not_wait_for_a_slow_hook(
    slow: Slow, scripted: Any, conversation: SmartConversation, signed_in: Client
) -> None:
    scripted(text="One two three", fault="stall")
    await Parrot.objects.aupdate(model="SCRIPTED")
    async with page(conversation.external_id, signed_in) as tab:
        await tab.send("First", nonce="n1")
        reply = await the_running(conversation)
        slow.may_pass.clear()
        await tab.send("Second", nonce="n2")
        await tab.send("Third", nonce="n3")
        await asyncio.wait_for(slow.is_asked.wait(), PATIENCE)
        await tab.raw(f'{{"action": "stop", "target": "{reply.external_id}"}}')
        await tab.until("was stopped")
        scripted(text="Fine.")
        slow.may_pass.set()
        await tab.until('data-acked="n2"')
        await tab.until('data-acked="n3"')
    said = conversation.messages.filter(party="USER").order_by("sequence")
    async with asyncio.timeout(PATIENCE):
        while await said.acount() < 3:  # noqa: ASYNC110  (rows ring no bell)
            await asyncio.sleep(0.01)
    assert [message.content async for message in said] == ["First", "Second", "Third"]


async def test_message_in_a_slow_hook_is_stored_though_its_page_has_gone(
    slow: Slow, conversation: SmartConversation, signed_in: Client
) -> None:
    async with page(conversation.external_id, signed_in) as tab:
        slow.may_pass.clear()
        await tab.send("Hello", nonce="n1")
        await asyncio.wait_for(slow.is_asked.wait(), PATIENCE)
        asyncio.get_running_loop().call_later(0.1, slow.may_pass.set)
    assert await conversation.messages.filter(nonce="n1").aexists()


async def test_turn_counts_though_nobody_can_hear_of_it(
    conversation: SmartConversation,
    signed_in: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(SmartGPTConsumer, "on_turn", fail)
    turn_taken.connect(fail)
    try:
        async with page(conversation.external_id, signed_in) as tab:
            await tab.send("Hello", nonce="n1")
            await tab.until('data-acked="n1"')
            await tab.until("has answered.")
    finally:
        turn_taken.disconnect(fail)
    assert "listener failed listener=fail fault=DatabaseError" in caplog.text
    assert "on_turn failed fault=DatabaseError" in caplog.text
    assert "CANARY" not in caplog.text
