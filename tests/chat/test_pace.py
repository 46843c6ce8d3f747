"""Pace: frames keep their distance, and their bytes stay linear in the answer."""

from __future__ import annotations

from polly_htmx.chat.pace import BYTES_PER_CHAR, FREE_BYTES, Pace


def test_frame_waits_for_the_flush_interval() -> None:
    pace = Pace()
    assert pace.is_due(100.0, 1)
    pace.sent(100.0, 1, 10)
    assert not pace.is_due(100.03, 2)
    assert pace.is_due(100.05, 2)


def test_frame_waits_for_new_text() -> None:
    pace = Pace()
    pace.sent(100.0, 5, 10)
    assert not pace.is_due(200.0, 5)


def test_bytes_stay_linear_in_the_answer() -> None:
    pace, sent = Pace(), 0
    for chars in range(4, 100_000, 4):
        if pace.is_due(float(chars), chars):
            pace.sent(float(chars), chars, chars)
            sent += chars
    assert sent < FREE_BYTES + (BYTES_PER_CHAR + 1) * 100_000
