"""What surrounds the text of messages: few bytes, and little that htmx takes in."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from polly_htmx import fragments
from polly_htmx.access import Who
from polly_htmx.chat import take_turn
from polly_htmx.models import Message, SmartConversation

pytestmark = pytest.mark.django_db

AROUND = 5_400
"""Bytes of frames around a turn's text, from the question to the end of the answer."""
CODE = "```python\ndef add(a, b):\n\n    return a  # Two\n```"
TAKEN_IN = re.compile(
    r"<form\b|<[^>]*\s(?:hx-(?:get|post|put|patch|delete|trigger|ext)|type)="
)
"""What htmx 2 looks for at each load and swap: forms, verbs, triggers, submit buttons."""


@pytest.fixture
def turn(conversation: SmartConversation) -> tuple[Message, Message]:
    """Return a message, and a reply that nobody has begun to write."""
    taken = take_turn(conversation, "Hello", who=Who(user=conversation.user))
    assert taken.reply is not None
    return taken.message, taken.reply


def ended(reply: Message, text: str) -> Message:
    reply.content = text
    reply.status = Message.Status.COMPLETE
    reply.save()
    return reply


def test_frames_around_a_short_answer_are_light(
    conversation: SmartConversation, turn: tuple[Message, Message]
) -> None:
    message, reply = turn
    frames = [fragments.turn(conversation, [message, reply])]
    there = fragments.Prelude(is_there=True)
    begun = fragments.reply_streaming(
        conversation, reply, closed="", tail="", prelude=there
    )
    frames.append(begun)
    frames.append(fragments.reply_closed(conversation, ended(reply, "Hi."), closed=""))
    assert sum(len(frame.encode()) for frame in frames) < AROUND


def test_code_keeps_its_spaces_in_a_frame(
    conversation: SmartConversation, turn: tuple[Message, Message]
) -> None:
    reply = ended(turn[1], CODE)
    frame = fragments.reply_ended(conversation, reply, html=None)
    assert re.search(r"</span> <span", reply.html)
    assert reply.html in frame


def test_htmx_takes_in_one_thing_of_a_turn(
    conversation: SmartConversation, turn: tuple[Message, Message]
) -> None:
    message, reply = turn
    frame = fragments.snapshot(conversation, [message, ended(reply, "Hi.")])
    (found,) = TAKEN_IN.findall(frame)
    assert "<details" in found


def test_htmx_takes_in_nothing_of_a_row(
    conversation: SmartConversation, signed_in: Client
) -> None:
    page = signed_in.get(reverse("polly:conversations")).content.decode()
    row = re.search(r'<li class="polly-item.*?</li>', page, re.DOTALL)
    assert row
    assert row[0].count("data-polly-ask") == 4
    assert not TAKEN_IN.search(row[0])
