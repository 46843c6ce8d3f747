"""The frames of an answer: piece by piece they make what a fresh page shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from polly_htmx import fragments
from polly_htmx.access import Who
from polly_htmx.chat import take_turn
from polly_htmx.chat.events import ReplyGrew
from polly_htmx.markdown import Change, MarkdownStream
from polly_htmx.models import Message, SmartConversation
from tests.applied import Page
from tests.markdown.page import at_random, by_character

pytestmark = pytest.mark.django_db

THERE = fragments.Prelude(is_there=True)
TEXT = """\
# A title

Some **words** with `code`. A second sentence. And a third one, with more in it.

- one
- two with **strength**
- three

| a | b |
| - | - |
| 1 | 2 |
| 3 | 4 |

```python
def add(a, b):
    # Two lines, and then
    return a < b
```

> A quotation.

The end.
"""


@pytest.fixture
def reply(conversation: SmartConversation) -> Message:
    """Return a reply that nobody has begun to write."""
    turn = take_turn(conversation, "Hello", who=Who(user=conversation.user))
    assert turn.reply is not None
    return turn.reply


def page_of(conversation: SmartConversation) -> Page:
    """Return the chat's page as it is loaded now."""
    found = SmartConversation.objects.select_related("parrot").get(pk=conversation.pk)
    return Page(fragments.chat(fragments.chat_of(found)))


def grew(reply: Message, change: Change, number: int = 1) -> ReplyGrew:
    return ReplyGrew(
        reply_id=reply.pk,
        reply=str(reply.external_id),
        run="run",
        number=number,
        closed=change.closed,
        tail=change.tail,
        kind=change.kind,
        grown=change.grown,
        open=change.open,
    )


def write(page: Page, reply: Message, text: str, ends: Iterable[int]) -> MarkdownStream:
    """Let the page follow a reply while it is written."""
    stream = MarkdownStream(reply.short_id)
    for number, end in enumerate(ends, 1):
        change = stream.feed(text[:end])
        if number == 1:
            closed, tail = stream.whole()
            frame = fragments.reply_streaming(
                reply.conversation, reply, closed=closed, tail=tail, prelude=THERE
            )
        else:
            frame = fragments.reply_grew(grew(reply, change, number))
        page.apply(frame)
    return stream


def end(reply: Message, text: str, **fields: Any) -> Message:
    """Save how the reply ended, and return what a follower of it knows."""
    fields = {"status": "complete", **fields}
    Message.objects.filter(pk=reply.pk).update(content=text, **fields)
    for name, value in fields.items():
        setattr(reply, name, value)
    return reply


def take_status(page: Page, reply: Message) -> None:
    """Do what the page's script does with the foot of an answer."""
    foot = page.element(f"polly-foot-{reply.external_id}")
    article = page.element(f"polly-message-{reply.external_id}")
    article.attributes["data-status"] = foot.attributes["data-polly-status"]


ENDS = [
    {"status": "complete", "finish_reason": "stop"},
    {"status": "complete", "finish_reason": "length"},
    {"status": "stopped"},
    {"status": "failed", "error": "interrupted"},
    {"status": "interrupted", "error": "interrupted"},
]


@pytest.mark.parametrize("fields", ENDS, ids=str)
@pytest.mark.parametrize("whole", [False, True])
def test_pieces_and_end_make_the_page_that_is_loaded_afterwards(
    conversation: SmartConversation, reply: Message, fields: dict[str, str], whole: bool
) -> None:
    page = page_of(conversation)
    stream = write(page, reply, TEXT, at_random(TEXT, 7))
    change = stream.finish(TEXT)
    assert change is not None
    end(reply, TEXT, **fields)
    reply.content = TEXT
    if whole:
        html = f"{stream.whole()[0]}{change.closed}"
        frame = fragments.reply_ended(conversation, reply, html=html)
        page.apply(frame)
    else:
        closed = str(change.closed)
        frame = fragments.reply_closed(conversation, reply, closed=closed)
        page.apply(frame)
        take_status(page, reply)
    # For those who read frames and run no script.
    assert f' data-status="{reply.status}"' in frame
    page.assert_equals(page_of(conversation), str(conversation.external_id))


@pytest.mark.parametrize("seed", range(3))
def test_each_step_shows_what_one_who_joins_then_is_shown(
    conversation: SmartConversation, reply: Message, seed: int
) -> None:
    # Without the table, whose bodies join only at the end.
    text = "\n".join(line for line in TEXT.split("\n") if not line.startswith("|"))
    page = page_of(conversation)
    stream = MarkdownStream(reply.short_id)
    begun = fragments.reply_streaming(
        conversation, reply, closed="", tail="", prelude=THERE
    )
    assert "<article" not in begun
    page.apply(begun)
    for number, until in enumerate(at_random(text, seed), 2):
        page.apply(fragments.reply_grew(grew(reply, stream.feed(text[:until]), number)))
        closed, tail = stream.whole()
        joined = page_of(conversation)
        joined.apply(
            fragments.reply_streaming(conversation, reply, closed=closed, tail=tail)
        )
        take_status(page, reply)
        page.assert_equals(joined, str(conversation.external_id))


def test_every_kind_of_growth_is_used(
    conversation: SmartConversation, reply: Message
) -> None:
    stream = MarkdownStream(reply.short_id)
    kinds = {stream.feed(TEXT[:until]).kind for until in by_character(TEXT)}
    assert kinds >= {"item", "row", "line", "sentence"}


def test_growth_is_rendered_once_for_all_followers(reply: Message) -> None:
    event = grew(reply, Change(kind="sentence"))
    fragments.reply_grew.cache_clear()
    frames = [fragments.reply_grew(event) for _ in range(50)]
    assert len(set(frames)) == 1
    assert fragments.reply_grew.cache_info().misses == 1


def test_light_end_does_not_hold_the_answer_again(
    conversation: SmartConversation, reply: Message
) -> None:
    end(reply, "SECOND TIME " * 100)
    reply.refresh_from_db()
    frame = fragments.reply_closed(conversation, reply, closed="<p>Last.</p>")
    assert "SECOND TIME" not in frame
    assert "<p>Last.</p>" in frame
    assert "has answered" in frame


def test_staff_are_offered_none_of_the_owners_actions(
    conversation: SmartConversation, reply: Message
) -> None:
    end(reply, "Text", status="stopped")
    readers: list[tuple[fragments.Reader, int]] = [("owner", 2), ("staff", 0)]
    for reader, count in readers:
        frame = fragments.reply_ended(conversation, reply, html=None, reader=reader)
        assert frame.count("<button") == count
        turn = fragments.turn(conversation, [reply], reader=reader)
        assert ("polly-stop-" in turn) is bool(count)


def test_an_answer_without_text_is_shown_as_it_is(
    conversation: SmartConversation, reply: Message
) -> None:
    end(reply, "", status="failed", error="empty-answer")
    page = page_of(conversation)
    page.apply(fragments.reply_ended(conversation, reply, html=""))
    page.assert_equals(page_of(conversation), str(conversation.external_id))


def test_what_is_only_read_offers_no_actions(
    conversation: SmartConversation, reply: Message
) -> None:
    end(reply, "Text", status="stopped")
    shown = fragments.chat_of(conversation).page
    assert "<button" not in fragments.transcript(conversation, shown)
    assert "<button" not in fragments.earlier(conversation, shown, read_only=True)
