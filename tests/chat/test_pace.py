"""Pace: frames keep their distance, and their bytes stay linear in the answer."""

from __future__ import annotations

import pytest

from polly_htmx.chat.pace import (
    BYTES_PER_CHAR,
    EARLY,
    ENVELOPE,
    FREE_BYTES,
    MAX_INTERVAL,
    SECONDS_PER_FOLLOWER,
    SECONDS_PER_RUN,
    SHARED_INTERVAL,
    Pace,
)


def test_frame_waits_for_the_flush_interval() -> None:
    pace = Pace()
    assert pace.rest(100.0) == 0
    pace.sent(100.0, 10)
    assert pace.rest(100.01) == pytest.approx(0.03)
    assert pace.rest(100.05) == 0


def test_frame_that_is_nearly_due_goes_at_once() -> None:
    pace = Pace()
    pace.sent(100.0, 10)
    assert pace.rest(100.04 - 0.04 * EARLY * 1.1) > 0
    assert pace.rest(100.04 - 0.04 * EARLY * 0.9) == 0


def test_many_replies_at_once_share_the_time() -> None:
    pace = Pace()
    pace.sent(100.0, 10)
    assert pace.rest(100.0, running=2) == pytest.approx(0.04)
    assert pace.rest(100.0, running=20) == pytest.approx(
        20 * SECONDS_PER_RUN + SECONDS_PER_FOLLOWER
    )
    assert pace.rest(100.0, running=100_000) == pytest.approx(SHARED_INTERVAL)
    for _ in range(10):
        pace.woke(9.0)
    assert pace.rest(100.0, running=100_000) == pytest.approx(MAX_INTERVAL)


def test_frames_are_fewer_while_the_loop_comes_late() -> None:
    pace = Pace()
    pace.sent(100.0, 10)
    pace.woke(0.2)
    assert pace.rest(100.0) == pytest.approx(0.14)
    for _ in range(10):
        pace.woke(0.0)
    assert pace.rest(100.0) == pytest.approx(0.04, abs=0.001)


def test_bytes_stay_linear_in_the_answer() -> None:
    pace, sent = Pace(), 0
    for chars in range(4, 100_000, 4):
        if pace.affords(chars):
            pace.sent(float(chars), chars)
            sent += chars + ENVELOPE
    assert sent < FREE_BYTES + (BYTES_PER_CHAR + 2) * 100_000
