"""What tests of replies share: somebody, and replies that have ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from polly_htmx.access import Who
from polly_htmx.chat import take_turn
from polly_htmx.models import Message, SmartConversation
from tests.chat.halves import reply_of

Status = Message.Status


@pytest.fixture
def who(user: User) -> Who:
    return Who(user=user)


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
