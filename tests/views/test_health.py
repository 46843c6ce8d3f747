"""The health of the site: what load balancers and monitors are told."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer, channel_layers
from django.test import Client
from django.utils import timezone

from polly_htmx.chat import health
from polly_htmx.models import Message, SmartConversation
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/polly/health/"


class DeadLayer(InMemoryChannelLayer):
    """A channel layer whose server is away."""

    async def send(self, _channel: str, _message: Any) -> None:
        raise ConnectionError("redis://user:SECRET@localhost")


class SilentLayer(InMemoryChannelLayer):
    """A channel layer that takes messages and delivers none."""

    async def send(self, _channel: str, _message: Any) -> None:
        return


def use(layer: type[InMemoryChannelLayer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(channel_layers.backends, "default", layer())


def left(conversation: SmartConversation, status: str, **fields: Any) -> Message:
    """Store a reply that was left behind a while ago."""
    then = timezone.now() - timedelta(seconds=70)
    reply = Message.objects.create(
        conversation=conversation, party="ASSISTANT", status=status
    )
    fields = {"created_at": then, "updated_at": then, **fields}
    Message.objects.filter(pk=reply.pk).update(**fields)
    return reply


def test_a_well_site_says_so_to_everybody() -> None:
    response = Client().get(URL)
    assert response.status_code == HTTPStatus.OK
    words = {"database": "ok", "layer": "ok", "replies": "ok", "stuck": 0}
    assert response.json() == words
    assert response.headers["Cache-Control"] == "no-store"
    # Again over the channel that is kept.
    assert Client().head(URL).status_code == HTTPStatus.OK


@pytest.mark.parametrize("layer", [DeadLayer, SilentLayer])
def test_a_layer_that_carries_nothing_is_told_without_its_address(
    layer: type[InMemoryChannelLayer],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    use(layer, monkeypatch)
    monkeypatch.setattr(health, "PATIENCE", 0.2)
    response = Client().get(URL)
    assert response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert response.json()["layer"] == "failed"
    assert response.json()["database"] == "ok"
    assert "SECRET" not in caplog.text + response.content.decode()
    assert "layer failed" in caplog.text


def test_a_reply_that_nobody_begins_is_stuck(conversation: SmartConversation) -> None:
    left(conversation, "pending")
    response = Client().get(URL)
    assert response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert (response.json()["replies"], response.json()["stuck"]) == ("stuck", 1)


def test_a_reply_whose_runner_is_long_dead_is_stuck(
    conversation: SmartConversation,
) -> None:
    dead = timezone.now() - timedelta(seconds=30)
    left(conversation, "streaming", lease_until=dead)
    assert Client().get(URL).json()["stuck"] == 1


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        ("pending", {"updated_at": timezone.now}),  # An old one that is continued.
        ("streaming", {"lease_until": timezone.now}),  # A sweep comes in seconds.
        ("waiting", {}),
        ("complete", {}),
    ],
)
def test_other_replies_are_not_stuck(
    conversation: SmartConversation, status: str, fields: dict[str, Any]
) -> None:
    left(conversation, status, **{name: now() for name, now in fields.items()})
    assert Client().get(URL).json()["stuck"] == 0


def test_a_database_that_hangs_is_told_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    may_answer = threading.Event()

    def hang() -> int:
        # A limit of its own, or a test that fails would hang too.
        may_answer.wait(PATIENCE)
        return 0

    monkeypatch.setattr(health, "_count_stuck", hang)
    monkeypatch.setattr(health, "PATIENCE", 0.2)
    begun = time.monotonic()
    try:
        responses = [Client().get(URL) for _ in range(3)]
        assert time.monotonic() - begun < PATIENCE
    finally:
        may_answer.set()
    assert {response.status_code for response in responses} == {503}
    assert [response.json()["database"] for response in responses] == ["failed"] * 3


def test_a_database_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> int:
        raise OSError("SECRET")

    monkeypatch.setattr(health, "_count_stuck", away)
    response = Client().get(URL)
    assert response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    expected = {"database": "failed", "layer": "ok", "replies": "unknown", "stuck": 0}
    assert response.json() == expected
