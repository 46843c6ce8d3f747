"""The inbox: pages never meet it, floods always do."""

from __future__ import annotations

import pytest

from polly_htmx.consumers.inbox import BURST, LARGE, PER_SECOND, Inbox
from polly_htmx.exceptions import TooManyFrames


def test_a_page_may_send_for_ever() -> None:
    inbox = Inbox()
    for second in range(10_000):
        inbox.take(200, float(second))


def test_a_burst_is_taken_and_a_flood_is_not() -> None:
    inbox = Inbox()
    for _ in range(BURST):
        inbox.take(200, 5.0)
    with pytest.raises(TooManyFrames):
        inbox.take(200, 5.0)


def test_the_bucket_empties_with_time() -> None:
    inbox = Inbox()
    for _ in range(BURST):
        inbox.take(200, 5.0)
    for _ in range(int(PER_SECOND)):
        inbox.take(200, 6.0)
    with pytest.raises(TooManyFrames):
        inbox.take(200, 6.0)


def test_large_frames_count_by_their_size() -> None:
    inbox = Inbox()
    inbox.take(1_000_000, 5.0)
    with pytest.raises(TooManyFrames):
        inbox.take(BURST * LARGE, 5.0)
