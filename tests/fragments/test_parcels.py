"""Parcels: long answers in frames of a bounded size, which make the same page."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from polly_htmx import fragments
from polly_htmx.chat.conversations import PAGE_SIZE
from polly_htmx.fragments.parcels import PARCEL
from polly_htmx.markdown.parts import END, piece_of
from polly_htmx.models import Message, SmartConversation
from tests.applied import Page
from tests.fragments.test_replies import page_of

pytestmark = pytest.mark.django_db

LONG = "\n\n".join(
    f"Paragraph {n} with *some* words, über dies und das." for n in range(1_500)
)
SHORT = "A **short** one."
LIMIT = 64 * 1024


@pytest.fixture
def talk(conversation: SmartConversation) -> SmartConversation:
    """Return a conversation of short and long answers."""
    for number, text in enumerate([SHORT, LONG, SHORT, LONG]):
        Message.objects.create(
            conversation=conversation, party="USER", content=f"Question {number}"
        )
        Message.objects.create(
            conversation=conversation, party="ASSISTANT", content=text
        )
    conversation.refresh_from_db()
    return conversation


def messages_of(talk: SmartConversation) -> list[Message]:
    return Message.objects.path_to(talk.current_id, limit=100)


def assert_shown(talk: SmartConversation, page: Page, frames: Iterable[str]) -> None:
    for frame in frames:
        assert len(frame.encode()) < LIMIT
        page.apply(frame)
    page.assert_equals(page_of(talk), str(talk.external_id))


def test_snapshot_of_long_answers_comes_in_parcels(talk: SmartConversation) -> None:
    frames = fragments.snapshot_parcels(talk, messages_of(talk))
    assert len(frames) > 2 * len(LONG) // PARCEL
    assert_shown(talk, page_of(talk), frames)


def test_snapshot_of_short_messages_is_one_frame(talk: SmartConversation) -> None:
    assert len(fragments.snapshot_parcels(talk, messages_of(talk)[:3])) == 1


def test_many_messages_are_spread_over_frames(conversation: SmartConversation) -> None:
    for _ in range(60):
        Message.objects.create(
            conversation=conversation, party="USER", content="Some words. " * 100
        )
    conversation.refresh_from_db()
    messages = Message.objects.path_to(conversation.current_id, limit=PAGE_SIZE)
    frames = fragments.snapshot_parcels(conversation, messages)
    assert len(frames) > 1
    assert_shown(conversation, page_of(conversation), frames)


def test_long_answer_ends_in_parcels(talk: SmartConversation) -> None:
    page, reply = page_of(talk), messages_of(talk)[-1]
    assert_shown(talk, page, fragments.ended_parcels(talk, reply, html=None))


def test_joiner_of_a_long_answer_gets_parcels_and_its_end(
    talk: SmartConversation,
) -> None:
    page, reply = page_of(talk), messages_of(talk)[-1]
    html = str(reply.html)
    cut = html.rindex("<p>", 0, len(html) // 2)
    half, rest = html[:cut] + END, piece_of(html[cut:], inside=True)
    frames = fragments.streaming_parcels(talk, reply, closed=half, tail="<p>open</p>")
    for frame in frames:
        assert len(frame.encode()) < LIMIT
        page.apply(frame)
    assert "open" in page.log(str(talk.external_id)).html
    assert_shown(talk, page, fragments.closed_parcels(talk, reply, closed=rest))


def test_single_block_that_is_longer_goes_as_it_is(talk: SmartConversation) -> None:
    reply = messages_of(talk)[-1]
    reply.content = "word " * 20_000
    frames = fragments.ended_parcels(talk, reply, html=None)
    assert max(len(frame) for frame in frames) > LIMIT
    assert sum("word word" in frame for frame in frames) == 1
