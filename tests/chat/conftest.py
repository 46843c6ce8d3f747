"""What tests of replies share: somebody, and replies that have ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from polly_htmx.access import Who
from polly_htmx.chat import take_turn
from polly_htmx.models import Message, SmartConversation, spending
from tests.chat.halves import reply_of

Status = Message.Status


@pytest.fixture
def who(user: User) -> Who:
    return Who(user=user)


@pytest.fixture
def one_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no day end while a test runs, also at midnight."""
    now, half = timezone.now(), timedelta(hours=12)
    monkeypatch.setattr(spending, "today", lambda: (now - half, now + half))


@pytest.fixture
def ended(conversation: SmartConversation, who: Who) -> Callable[..., Message]:
    """Return a function that takes a turn and ends its reply."""

    def end(text: str = "Hi", **fields: Any) -> Message:
        reply = reply_of(take_turn(conversation, text, who=who))
        how = {"status": Status.COMPLETE, "content": "One two", **fields}
        Message.objects.filter(pk=reply.pk).update(**how)
        reply.refresh_from_db()
        return reply

    return end
