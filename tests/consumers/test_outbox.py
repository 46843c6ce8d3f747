"""Outbox: who is too far behind to get more."""

from __future__ import annotations

from hypothesis import given, strategies as st

from polly_htmx.consumers.outbox import (
    DEAD_BYTES,
    MAX_MARKS,
    SLOW_BYTES,
    SLOW_SECONDS,
    Outbox,
)

KB = 1024


def filled(frames: int, size: int = KB, pace: float = 0.01) -> Outbox:
    """Return an outbox that was sent some frames, one after the other."""
    outbox = Outbox()
    for number in range(frames):
        outbox.sent(size, number * pace)
    return outbox


def slow(outbox: Outbox) -> bool:
    return outbox.is_slow


def dead(outbox: Outbox) -> bool:
    return outbox.is_dead


def test_what_is_acknowledged_is_not_behind() -> None:
    outbox = filled(10)
    assert outbox.behind == 10 * KB
    outbox.seen(4, 1.0)
    assert outbox.behind == 6 * KB
    outbox.seen(10, 2.0)
    assert outbox.behind == 0


def test_an_older_acknowledgement_changes_nothing() -> None:
    outbox = filled(10)
    outbox.seen(8, 1.0)
    outbox.seen(3, 1.1)
    assert outbox.behind == 2 * KB


def test_a_number_that_is_too_high_counts_as_all() -> None:
    outbox = filled(10)
    outbox.seen(10**9, 1.0)
    assert outbox.behind == 0
    outbox.sent(KB, 2.0)
    assert outbox.behind == KB


def test_a_page_with_many_unread_bytes_is_slow_until_it_has_read() -> None:
    outbox = filled(1)
    outbox.seen(1, 0.1)
    outbox.sent(SLOW_BYTES, 0.2)
    assert not slow(outbox)
    outbox.sent(1, 0.3)
    assert slow(outbox)
    outbox.seen(2, 0.4)
    assert not slow(outbox)


def test_a_page_that_is_late_is_slow_until_it_has_read() -> None:
    outbox = filled(1)
    outbox.seen(1, 0.1)
    outbox.sent(10, 1.0)
    outbox.sent(10, 10.9)
    assert not slow(outbox)
    outbox.sent(10, 11.1)
    assert slow(outbox)
    outbox.seen(4, 12.0)
    assert not slow(outbox)


def test_long_silence_is_not_lateness() -> None:
    outbox = filled(1)
    outbox.seen(1, 0.1)
    outbox.sent(10, 1000.0)
    assert not slow(outbox)


def test_a_program_that_acknowledges_nothing_is_never_slow_but_dead_in_the_end() -> (
    None
):
    outbox = filled(DEAD_BYTES // KB, pace=1.0)
    assert not slow(outbox)
    assert not dead(outbox)
    outbox.sent(1, 5000.0)
    assert dead(outbox)


def test_a_page_that_stops_acknowledging_is_dead_in_the_end() -> None:
    outbox = filled(10)
    outbox.seen(10, 1.0)
    outbox.sent(DEAD_BYTES + 1, 2.0)
    assert not dead(outbox), "It has its time for what is long in itself."
    outbox.sent(1, 2.0 + SLOW_SECONDS + 1)
    assert dead(outbox)


@given(st.lists(st.integers(1, 500), min_size=1, max_size=1000), st.data())
def test_memory_is_bounded_and_nobody_looks_better_than_they_are(
    sizes: list[int], data: st.DataObject
) -> None:
    outbox = Outbox()
    for number, size in enumerate(sizes):
        outbox.sent(size, float(number))
        assert len(outbox._marks) <= MAX_MARKS
    seen = data.draw(st.integers(0, len(sizes)))
    outbox.seen(seen, float(len(sizes)))
    assert outbox.behind >= sum(sizes[seen:])
    outbox.seen(len(sizes), float(len(sizes)))
    assert outbox.behind == 0
