from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from polly_htmx.llm import Finished, Reasoning, Text, exceptions
from polly_htmx.llm.base_invoker import BaseInvoker
from tests.llm.conftest import Invoke


async def test_events_end_with_finished(scripted: Invoke) -> None:
    invoker = scripted(text="one two", reasoning="hm")
    events = [event async for event in invoker.astream_events("Hi")]
    assert events[:3] == [Reasoning("hm"), Text("one"), Text(" two")]
    assert isinstance(events[-1], Finished)
    reply = events[-1].reply
    assert (reply.text, reply.reasoning, reply.finish_reason) == (
        "one two",
        "hm",
        "stop",
    )
    assert reply.model == "SCRIPT"
    assert invoker.reply == reply


async def test_history_grows_when_an_exchange_finished(scripted: Invoke) -> None:
    before = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    invoker = scripted(before, echo=True)
    await invoker.asend_message("c")
    assert invoker.history == [
        *before,
        {"role": "user", "content": "c"},
        {"role": "assistant", "content": "c"},
    ]
    assert len(before) == 2


async def test_history_stays_when_an_exchange_failed(scripted: Invoke) -> None:
    invoker = scripted(fault="cut", text="one two three")
    with pytest.raises(exceptions.Interrupted):
        await invoker.asend_message("c")
    assert invoker.history == []
    assert invoker.reply is not None
    assert invoker.reply.text == "one two"
    assert invoker.reply.finish_reason is None


async def test_text_is_kept_when_the_stream_is_closed(scripted: Invoke) -> None:
    invoker = scripted(text="one two three")
    stream = invoker.astream_message("Hi")
    assert await anext(stream) == "one"
    await stream.aclose()
    assert invoker.reply is not None
    assert invoker.reply.text == "one"
    assert invoker.history == []


def test_sync_methods_do_the_same(scripted: Invoke) -> None:
    invoker = scripted(text="one two")
    assert list(invoker.stream_message("Hi")) == ["one", " two"]
    assert invoker.send_message("Again").text == "one two"
    assert len(invoker.history) == 4


@pytest.mark.parametrize(
    ("change", "script"),
    [
        ({"FIRST_TOKEN_TIMEOUT": 0.05}, {"fault": "hang"}),
        ({"FIRST_TOKEN_TIMEOUT": 0.05}, {"first": 5}),
        ({"GAP_TIMEOUT": 0.05}, {"fault": "stall", "text": "one two"}),
        ({"REPLY_MAX_SECONDS": 0.05}, {"pace": 0.01, "text": "one " * 100}),
        ({"REPLY_MAX_SECONDS": 0.05}, {"text": "one " * 100_000}),
    ],
)
async def test_deadline_ends_an_answer(
    scripted: Invoke,
    deadlines: Callable[..., None],
    change: dict[str, float],
    script: dict[str, object],
) -> None:
    invoker = scripted(**script)
    deadlines(**change)
    async with asyncio.timeout(2):
        with pytest.raises(exceptions.TimedOut) as caught:
            await invoker.asend_message("Hi")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert invoker.reply is not None
    assert invoker.reply.text[:3] in {"", "one"}


async def test_slow_reader_does_not_use_up_the_provider_s_time(
    scripted: Invoke, deadlines: Callable[..., None]
) -> None:
    invoker = scripted(text="one two three")
    deadlines(GAP_TIMEOUT=0.05)
    async for _ in invoker.astream_message("Hi"):
        await asyncio.sleep(0.08)
    assert invoker.reply is not None
    assert invoker.reply.finish_reason == "stop"


async def test_answer_is_cut_when_it_is_too_long(
    scripted: Invoke, deadlines: Callable[..., None]
) -> None:
    invoker = scripted(text=["12345", "67890", "never"])
    deadlines(MAX_ANSWER_CHARS=7)
    reply = await invoker.asend_message("Hi")
    assert (reply.text, reply.finish_reason) == ("1234567", "cut")
    assert invoker.history[-1]["content"] == "1234567"


async def test_answer_is_whole_when_it_just_fits(
    scripted: Invoke, deadlines: Callable[..., None]
) -> None:
    invoker = scripted(text=["12345", "67890"])
    deadlines(MAX_ANSWER_CHARS=10)
    reply = await invoker.asend_message("Hi")
    assert (reply.text, reply.finish_reason) == ("1234567890", "stop")


async def test_loop_gets_a_turn_when_pieces_never_wait(scripted: Invoke) -> None:
    class Eager(type(scripted())):  # type: ignore[misc]
        async def provider_events(self, messages):  # type: ignore[no-untyped-def]
            for _ in range(50_000):
                yield Text("x")

    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counter = asyncio.create_task(count())
    invoker: BaseInvoker = Eager(scripted().connect)
    with pytest.raises(exceptions.Interrupted):
        await invoker.asend_message("Hi")
    counter.cancel()
    assert turns > 10


async def test_strange_characters_are_cleaned_both_ways(scripted: Invoke) -> None:
    invoker = scripted(echo=True, text="")
    reply = await invoker.asend_message("a\ud800b\x00")
    assert reply.text == "a\ufffdb\ufffd"
    parts = [{"type": "text", "text": "\ud800"}, {"type": "image_url"}]
    invoker = scripted()
    await invoker.asend_message(parts)
    assert invoker.history[0]["content"] == [
        {"type": "text", "text": "\ufffd"},
        {"type": "image_url"},
    ]
