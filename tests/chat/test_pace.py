"""Pace: frames keep their distance, and their bytes stay linear in the answer."""

from __future__ import annotations

import pytest

from polly_htmx.chat.pace import BYTES_PER_CHAR, FREE_BYTES, Pace


def test_frame_waits_for_the_flush_interval() -> None:
    pace = Pace()
    assert pace.rest(100.0) == 0
    pace.sent(100.0, 10)
    assert pace.rest(100.03) == pytest.approx(0.01)
    assert pace.rest(100.05) == 0


def test_bytes_stay_linear_in_the_answer() -> None:
    pace, sent = Pace(), 0
    for chars in range(4, 100_000, 4):
        if pace.affords(chars):
            pace.sent(float(chars), chars)
            sent += chars
    assert sent < FREE_BYTES + (BYTES_PER_CHAR + 1) * 100_000
