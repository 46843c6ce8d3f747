"""A Parrot with an answer of known length, for tests of daily caps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User

from polly_htmx.access import Who
from polly_htmx.chat import take_turn
from polly_htmx.models import ModelCall, Parrot, SmartConversation
from tests.chat.halves import reply_of

BACKEND = "polly_htmx.llm.scripted.ScriptedInvoker"
OUTPUT = 100
"""Tokens that an answer may have here."""
DOLLAR = {"input": 1_000_000, "output": 1_000_000}
"""One for each token."""

Setup = Callable[..., None]


@pytest.fixture
def setup(settings: LazySettings, parrot: Parrot) -> Setup:
    """Return a function that sets keys of POLLY, and a script for the Parrot."""

    def set_up(*, price: Any = None, script: Any = None, **keys: Any) -> None:
        limits = {"MESSAGES_PER_MINUTE": 1000, "MAX_RUNNING_REPLIES": 1000}
        params = {"text": "One two", "max_tokens": OUTPUT, **(script or {})}
        entry = {"label": "M", "backend": BACKEND, "params": params}
        if price:
            entry["price"] = price
        settings.POLLY = {
            **settings.POLLY,
            **limits,
            "RETRIES": 0,
            "MODELS": {"M": entry},
            **keys,
        }

    parrot.model = "M"
    parrot.save()
    set_up()
    return set_up


def spend(
    tokens: int, *, cost: Any = None, when: datetime | None = None, **whose: Any
) -> None:
    """Let a call have taken something, today unless told otherwise."""
    call = ModelCall.objects.create(
        purpose="reply",
        exactness="exact",
        input_tokens=tokens,
        output_tokens=0,
        cost=cost,
        **whose,
    )
    if when:
        ModelCall.objects.filter(pk=call.pk).update(created_at=when)


def need(conversation: SmartConversation, who: Who, setup: Setup, **keys: Any) -> int:
    """Return what "Hi" in an empty chat reserves."""
    setup(DAILY_TOKENS=10**9, **keys)
    reply = reply_of(take_turn(conversation, "Hi", who=who))
    tokens = reply.reserved_tokens
    conversation.messages.all().delete()
    assert tokens
    return tokens


def chats(parrot: Parrot, *users: User) -> list[SmartConversation]:
    return [
        SmartConversation.objects.create(parrot=parrot, user=each) for each in users
    ]
