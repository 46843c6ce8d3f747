from __future__ import annotations

import time

import pytest

from polly_htmx.llm import ScriptedInvoker, exceptions
from polly_htmx.llm.scripted import DEFAULT_TEXT
from tests.llm.conftest import Invoke


async def test_script_has_an_answer_by_itself(scripted: Invoke) -> None:
    invoker = scripted()
    assert isinstance(invoker, ScriptedInvoker)
    assert (await invoker.asend_message("Hi")).text == DEFAULT_TEXT


async def test_text_is_kept_when_it_is_split_into_words(scripted: Invoke) -> None:
    text = "\n# Title\n\nSome  *words*\n\n    code\n \n"
    pieces = [piece async for piece in scripted(text=text).astream_message("Hi")]
    assert "".join(pieces) == text
    assert len(pieces) > 4


async def test_pieces_come_at_the_pace_of_the_script(scripted: Invoke) -> None:
    started = time.monotonic()
    await scripted(text=["a", "b"], first=0.05, pace=0.05).asend_message("Hi")
    assert time.monotonic() - started > 0.14


@pytest.mark.parametrize(
    ("fault", "expected", "text"),
    [
        ("cut", exceptions.Interrupted, "one two"),
        ("error", exceptions.Interrupted, "one two"),
        ("empty", exceptions.EmptyAnswer, ""),
        ("content-filter", exceptions.ContentRefused, "one two three four"),
        ("rate-limited", exceptions.RateLimited, ""),
        ("not-authorised", exceptions.NotAuthorised, ""),
        ("not-configured", exceptions.NotConfigured, ""),
        ("context-too-long", exceptions.ContextTooLong, ""),
        ("unavailable", exceptions.Unavailable, ""),
    ],
)
async def test_fault_is_raised_when_the_script_says_so(
    scripted: Invoke, fault: str, expected: type[Exception], text: str
) -> None:
    invoker = scripted(text="one two three four", fault=fault)
    with pytest.raises(expected) as caught:
        await invoker.asend_message("Hi")
    assert type(caught.value) is expected
    assert invoker.reply is not None
    assert invoker.reply.text == text


async def test_length_is_a_finished_answer(scripted: Invoke) -> None:
    reply = await scripted(fault="length").asend_message("Hi")
    assert reply.finish_reason == "length"
