"""Dispatch: the sweep outlives the request that began it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient
from django.urls import reverse

from polly_htmx.chat import dispatch
from polly_htmx.models import SmartConversation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def ended() -> AsyncIterator[None]:
    """End what a request has begun on the test's loop."""
    yield
    await dispatch.ashutdown()


async def test_sweep_begun_by_a_form_goes_on_after_the_request(
    conversation: SmartConversation,
    user: User,
    ended: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(dispatch, "SWEEP_SECONDS", 0.05)
    client = AsyncClient()
    await client.aforce_login(user)
    send = reverse("polly:send", args=[conversation.external_id])
    with caplog.at_level(logging.WARNING, "polly_htmx"):
        response = await client.post(send, {"message": "Hello"})
        assert response.status_code == 302
        await asyncio.sleep(0.3)  # Some rounds of the sweep.
    assert not caplog.records
