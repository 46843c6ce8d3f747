"""Frames of answers that are long enough for parts, on the page that they make."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch  # Small parts, so that texts can be short.

import pytest

from polly_htmx import fragments
from polly_htmx.fragments import parcels
from polly_htmx.markdown import MarkdownStream, render
from polly_htmx.markdown.parts import PART, REST
from polly_htmx.models import Message, SmartConversation
from tests.fragments.test_replies import (
    THERE,
    end,
    grew,
    page_of,
    reply,
    take_status,
    write,
)
from tests.markdown.page import at_random

__all__ = ["reply"]

pytestmark = pytest.mark.django_db

TEXT = (
    """\
# A title

Some **words**. And more.

> A quotation.

---

- one
- two

```text
tool
```

1. first

   | a | b |
   | - | - |
   | 1 | 2 |

Words.

"""
    * 4
)


@pytest.fixture(params=[1, 2, 5, 16], autouse=True)
def size(request: pytest.FixtureRequest) -> Iterator[int]:
    """Set how many blocks lie in a part."""
    with patch("polly_htmx.markdown.parts.SIZE", request.param):
        yield request.param


@pytest.mark.parametrize("until", [len(TEXT), 700, 620, 500])
def test_parts_grow_to_the_page_that_is_loaded_afterwards(
    conversation: SmartConversation, reply: Message, until: int
) -> None:
    text = TEXT[:until]
    page = page_of(conversation)
    stream = write(page, reply, text, at_random(text, until))
    change = stream.finish(text)
    assert change is not None
    end(reply, text)
    reply.content = text
    for frame in fragments.closed_parcels(
        conversation, reply, closed=str(change.closed)
    ):
        page.apply(frame)
    take_status(page, reply)
    html = page.element(f"polly-content-{reply.external_id}").inner_html
    assert PART in html
    assert REST not in html
    page.assert_equals(page_of(conversation), str(conversation.external_id))


def test_each_step_shows_what_one_who_joins_then_is_shown(
    conversation: SmartConversation, reply: Message
) -> None:
    # Without the table, whose bodies join only at the end.
    text = "\n".join(line for line in TEXT.split("\n") if "|" not in line)
    page = page_of(conversation)
    stream = MarkdownStream(reply.short_id)
    page.apply(
        fragments.reply_streaming(
            conversation, reply, closed="", tail="", prelude=THERE
        )
    )
    for number, until in enumerate(at_random(text, 1, 40), 2):
        change = stream.feed(text[:until])
        for frame in fragments.grew_parcels(grew(reply, change, number)):
            page.apply(frame)
        closed, tail = stream.whole()
        joined = page_of(conversation)
        for frame in fragments.streaming_parcels(
            conversation, reply, closed=closed, tail=tail
        ):
            joined.apply(frame)
        take_status(page, reply)
        page.assert_equals(joined, str(conversation.external_id))


@pytest.mark.parametrize("limit", [1, 300, 900])
def test_parcels_cut_parts_between_blocks(
    conversation: SmartConversation,
    reply: Message,
    limit: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parcels, "PARCEL", limit)
    page = page_of(conversation)
    middle = TEXT.index("---", len(TEXT) // 2)
    stream = MarkdownStream(reply.short_id)
    stream.feed(TEXT[:middle])
    closed, tail = stream.whole()
    frames = fragments.streaming_parcels(conversation, reply, closed=closed, tail=tail)
    change = stream.feed(TEXT)
    frames += fragments.grew_parcels(grew(reply, change))
    change_at_end = stream.finish(TEXT)
    assert change_at_end is not None
    end(reply, TEXT)
    reply.content = TEXT
    frames += fragments.closed_parcels(
        conversation, reply, closed=str(change_at_end.closed)
    )
    assert len(frames) > len(render(TEXT)) // (limit + 400)
    for frame in frames:
        assert REST not in frame
        page.apply(frame)
    take_status(page, reply)
    page.assert_equals(page_of(conversation), str(conversation.external_id))
