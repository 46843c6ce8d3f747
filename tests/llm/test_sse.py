from __future__ import annotations

import pytest

from polly_htmx.llm import exceptions, sse
from polly_htmx.llm.sse import EventStream

WHOLE = (
    b"\xef\xbb\xbfdata: one\n\n: ping\n\nevent: word\ndata:two\ndata: and more\n\n"
    b"id: 7\n\ndata:  three\n\ndata: cut"
)
EVENTS = [b"one", b"two\nand more", b" three"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_the_same_however_they_come(size: int, end: bytes) -> None:
    data = WHOLE.replace(b"\n", end)
    stream = EventStream()
    found = []
    for start in range(0, len(data), size):
        found += stream.feed(data[start : start + size])
    assert found == EVENTS


def test_stream_may_be_longer_than_the_longest_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sse, "LONGEST", 100)
    stream = EventStream()
    for _ in range(50):
        assert stream.feed(b"data: " + b"x" * 80 + b"\n\n")


@pytest.mark.parametrize("piece", [b"x" * 60, b"data: " + b"x" * 60 + b"\n"])
def test_event_that_never_ends_is_bad(
    monkeypatch: pytest.MonkeyPatch, piece: bytes
) -> None:
    monkeypatch.setattr(sse, "LONGEST", 100)
    stream = EventStream()
    stream.feed(piece)
    with pytest.raises(exceptions.BadResponse):
        stream.feed(piece)
