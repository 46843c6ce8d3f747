"""
Faults of a provider, seen from the page: a real server that misbehaves, and litellm.

Of every fault the same is asked: the person's message is kept once, the reply tells
how it ended and keeps what came, the next message works, and nothing of the
provider's, least of all its key, is seen or logged anywhere.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core import serializers
from django.test import Client
from pytest_django import Settings

from polly_htmx.exceptions import user_message_for
from polly_htmx.llm import litellm_port
from polly_htmx.models import Message, Parrot, ParrotVersion, SmartConversation
from tests.admin.test_inert import pages_of
from tests.fake_provider import Exchange, FakeProvider, closed_port
from tests.fake_scripts import SCRIPTS
from tests.patience import PATIENCE
from tests.sockets import Page, page

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("replies", "provider", "fake_model", "debugging"),
]

CANARY = "sk-SECRETCANARY-faults-0123456789"
"""The provider's key, which must turn up nowhere."""
OF_THE_PROVIDER = (
    *("SECRETCANARY", "alert(1)", "WLAN", "Wrong key", "Slow down", "Overloaded"),
    *("invalid_api_key", "Traceback", "api_base", "litellm", "openai"),
)
"""What must not be seen: the key, words of the provider's, and our own insides."""
NOT_LOGGED = ("SECRETCANARY", "alert(1)", "WLAN", "Wrong key", "Slow down")
PROMPT = "You are a parrot."
WORDS = "Hello world"
ENDED = re.compile(r'data-polly-status="(complete|failed|stopped|interrupted)"')


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault, and what becomes of the reply."""

    script: str
    error: str
    text: str = ""
    status: str = "failed"
    finish_reason: str = ""
    polly: dict[str, Any] = field(default_factory=dict)
    """Settings under which it is quick."""


SHORT = 3.0
"""Seconds of a deadline that shall pass: short, but a busy machine has time to ask."""
NO_WORD = {"FIRST_TOKEN_TIMEOUT": SHORT}
NO_MORE = {"FIRST_TOKEN_TIMEOUT": PATIENCE, "GAP_TIMEOUT": SHORT}
ECHOES = {"unauthorised", "broken-inside", "error-event"}
"""Faults of which the admin's pages are looked at too: the provider says the key or
worse before, in the place of, and in the middle of an answer."""


FAULTS = [
    Fault(script="refused-connection", error="unavailable"),
    Fault(script="hang", error="timed-out", polly=NO_WORD),
    Fault(script="silence", error="timed-out", polly=NO_WORD),
    Fault(script="stall", error="timed-out", text=WORDS, polly=NO_MORE),
    Fault(script="pings", error="timed-out", polly=NO_WORD),
    Fault(script="unauthorised", error="not-authorised"),
    Fault(script="forbidden", error="not-authorised"),
    Fault(script="rate-limited", error="rate-limited"),
    Fault(script="broken-inside", error="unavailable"),
    Fault(script="reset", error="interrupted", text=WORDS),
    Fault(script="chunked-cut", error="interrupted", text="Hello "),
    Fault(script="cut", error="interrupted", text=WORDS),
    Fault(script="error-event", error="interrupted", text=WORDS),
    Fault(script="html200", error="empty-answer"),
    Fault(script="empty", error="empty-answer"),
    Fault(script="done-only", error="empty-answer"),
    Fault(script="stop-only", error="empty-answer"),
    Fault(script="filtered", error="content-refused", text=WORDS),
    Fault(
        script="length", error="", text=WORDS, status="complete", finish_reason="length"
    ),
]


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(SCRIPTS) as provider:
        provider.scripts["refused-connection"] = SCRIPTS["good"]
        yield provider


@pytest.fixture
def user(django_user_model: type[User]) -> User:
    """Return somebody whose particulars are easily found."""
    return django_user_model.objects.create_user(
        "USERNAMECANARY", "mailcanary@example.com", "pw", first_name="FIRSTCANARY"
    )


@pytest.fixture
def fake_model(settings: Settings, parrot: Parrot) -> Callable[..., None]:
    """Return a function that lets the Parrot answer by one of the scripts."""

    def choose(script: str, url: str, **polly: Any) -> None:
        entry = {"model": f"openai/{script}", "api_base": url, "api_key": CANARY}
        # One question is one request here.
        own = {"RETRIES": 0, "MODELS": {"FAKE": entry}}
        settings.POLLY = {**settings.POLLY, **own, **polly}
        Parrot.objects.update(model="FAKE")

    return choose


@pytest.fixture
def debugging(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Log all that can be logged, by whomever."""
    litellm_port.load()
    loggers = [
        logger
        for logger in [logging.root, *logging.root.manager.loggerDict.values()]
        if isinstance(logger, logging.Logger)
    ]
    before = [(logger, logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.propagate = True
    caplog.handler.setLevel(logging.DEBUG)
    yield
    for logger, level, propagate in before:
        logger.setLevel(level)
        logger.propagate = propagate


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.script)
async def test_fault_is_told_and_leaks_nothing_and_the_chat_goes_on(
    conversation: SmartConversation,
    signed_in: Client,
    provider: FakeProvider,
    fake_model: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    fault: Fault,
) -> None:
    refused = fault.script == "refused-connection"
    url = f"http://127.0.0.1:{closed_port()}/v1" if refused else provider.url
    await sync_to_async(fake_model)(fault.script, url, **fault.polly)
    async with page(conversation.external_id, signed_in) as tab:
        await send(tab, "QUESTION one")
        reply = await Message.objects.aget(party="ASSISTANT")
        assert_as_expected(reply, "".join(tab.frames), fault)
        # A machine that is busy elsewhere may let the deadline pass before all else.
        asked = len(provider.exchanges)
        assert asked == 1 or (asked == 0 and (refused or fault.polly is NO_WORD))

        provider.scripts[fault.script] = SCRIPTS["good"]
        await sync_to_async(fake_model)(fault.script, provider.url)
        await send(tab, "QUESTION two")
    assert len(provider.exchanges) == asked + 1
    users = [item async for item in Message.objects.filter(party="USER")]
    assert [item.content for item in users] == ["QUESTION one", "QUESTION two"]
    second = await Message.objects.filter(party="ASSISTANT").alast()
    assert (second.status, second.error) == ("complete", "")
    assert second.content == WORDS

    for exchange in provider.exchanges:
        assert_nothing_of_the_person(exchange, signed_in)
    told = [
        {"role": "user", "content": "QUESTION one"},
        {"role": "assistant", "content": fault.text},
        {"role": "user", "content": "QUESTION two"},
    ]
    if not fault.text:
        told = [{"role": "user", "content": "QUESTION one\n\nQUESTION two"}]
    system = {"role": "system", "content": PROMPT}
    assert provider.last.body["messages"] == [system, *told]

    logged = [logged_text(record) for record in caplog.records]
    assert len(logged) > 20
    for text in [*logged, caplog.text, *capfd.readouterr()]:
        assert [word for word in NOT_LOGGED if word in text] == []
    assert not [text for text in logged if text[:5] == "polly" and "QUESTION" in text]
    seen = await sync_to_async(all_that_is_seen)(conversation, signed_in, fault)
    for text in [*tab.frames, *seen]:
        assert [word for word in OF_THE_PROVIDER if word in text] == []


async def send(tab: Page, text: str) -> None:
    """Send a message and wait until its reply has ended, well or not."""
    await tab.send(text)
    while True:
        if ENDED.search(await tab.frame()):
            return


def assert_as_expected(reply: Message, told: str, fault: Fault) -> None:
    """Fail unless row and page tell of the fault, and keep what came before it."""
    assert (reply.status, reply.error) == (fault.status, fault.error)
    assert reply.content == fault.text
    assert reply.finish_reason == fault.finish_reason
    assert f'data-polly-status="{fault.status}"' in told
    assert fault.text.strip() in told
    if fault.error:
        assert user_message_for(fault.error) in told.replace("&#x27;", "'")
    else:
        assert reply.remark in told


def assert_nothing_of_the_person(exchange: Exchange, client: Client) -> None:
    """Fail if the provider was told who asks."""
    session = client.cookies[django_settings.SESSION_COOKIE_NAME].value
    asked = json.dumps([exchange.path, exchange.headers, exchange.body])
    for word in ("USERNAMECANARY", "mailcanary", "FIRSTCANARY", session):
        assert word not in asked
    assert set(exchange.body) == {"model", "messages", "stream", "stream_options"}
    assert exchange.headers["authorization"] == f"Bearer {CANARY}"


def all_that_is_seen(
    conversation: SmartConversation, client: Client, fault: Fault
) -> list[str]:
    """Return the reloaded pages, the rows, and for some faults what staff see."""
    pages = [client.get(conversation.get_absolute_url()), client.get("/polly/")]
    assert {each.status_code for each in pages} == {200}
    rows = [
        serializers.serialize("json", kind.objects.all())
        for kind in (Message, SmartConversation, Parrot, ParrotVersion)
    ]
    staff = all_that_staff_see(conversation) if fault.script in ECHOES else []
    return [*(each.content.decode() for each in pages), *rows, *staff]


def all_that_staff_see(conversation: SmartConversation) -> list[str]:
    """Return the admin's pages."""
    admin = Client()
    admin.force_login(User.objects.create_superuser("root"))
    replies = Message.objects.filter(party="ASSISTANT")
    items = [conversation.parrot, conversation, *replies[:1]]
    pages = [admin.get(address, follow=True) for address in pages_of(items)]
    # Nobody may delete single messages.
    assert {each.status_code for each in pages} == {200, 403}
    return [each.content.decode() for each in pages]


def logged_text(record: logging.LogRecord) -> str:
    """Return all that a handler could make of a record."""
    return f"{record.name} {record.getMessage()} {record.exc_text} {record.__dict__}"
