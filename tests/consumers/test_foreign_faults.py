"""What the database, or a host's own code, does to a page: it is told, and goes on."""

from __future__ import annotations

from typing import NoReturn

import pytest
from django.db import DatabaseError
from django.test import Client

from polly_htmx import access
from polly_htmx.consumers import SmartGPTConsumer
from polly_htmx.models import Message, SmartConversation
from polly_htmx.signals import turn_taken
from tests.sockets import page

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("replies"),
]

WORDS = "CANARY: SELECT content FROM polly_htmx_message"


def fail(*_args: object, **_about: object) -> NoReturn:
    """Fail in words that nobody may read."""
    raise DatabaseError(WORDS)


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
