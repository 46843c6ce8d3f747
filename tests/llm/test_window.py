"""The window: whole turns, the oldest out first, and nothing counted without need."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, strategies as st

from polly_htmx.llm import (
    BaseInvoker,
    LLMConnect,
    LLMModelType,
    exceptions,
    litellm_port,
    local,
    window,
)
from polly_htmx.llm.window import fit
from tests.llm.conftest import Invoke

SYSTEM = {"role": "system", "content": "Be brief."}


def said(*roles_and_texts: str) -> list[dict[str, Any]]:
    """Return messages from a line such as "u1 a1 u2"."""
    roles = {"u": "user", "a": "assistant", "t": "tool"}
    return [{"role": roles[each[0]], "content": each} for each in roles_and_texts]


def words(messages: Sequence[dict[str, Any]]) -> list[str]:
    return [each["content"] for each in messages]


def test_all_is_told_where_there_is_room() -> None:
    messages = said("u1", "a1", "u2")
    assert fit(messages, [1, 1, 1], 3) == window.Fitted(messages, [])


def test_the_oldest_turns_go_first_and_whole() -> None:
    messages = [SYSTEM, *said("u1", "a1", "u2", "a2", "u3")]
    fitted = fit(messages, [1] * 6, 5)
    assert words(fitted.messages) == ["Be brief.", "u2", "a2", "u3"]
    assert words(fitted.left_out) == ["u1", "a1"]


def test_what_tools_said_goes_with_its_turn() -> None:
    messages = said("u1", "a1", "t1", "a1b", "u2", "a2", "u3")
    fitted = fit(messages, [1] * 7, 6)
    assert words(fitted.messages) == ["u2", "a2", "u3"]


def test_no_turn_is_told_that_is_older_than_one_left_out() -> None:
    messages = said("u1", "a1", "u2", "a2", "u3")
    fitted = fit(messages, [1, 1, 50, 50, 1], 10)
    assert words(fitted.messages) == ["u3"]


def test_a_conversation_may_begin_with_an_answer() -> None:
    messages = said("a0", "u1", "a1", "u2")
    assert words(fit(messages, [1] * 4, 4).messages) == ["a0", "u1", "a1", "u2"]
    assert words(fit(messages, [1] * 4, 3).messages) == ["u1", "a1", "u2"]


def test_what_goes_with_the_message_always_goes() -> None:
    messages = said("u1", "a1", "u2", "a2", "u3")
    assert words(fit(messages, [1] * 5, 3, kept=2).messages) == ["u2", "a2", "u3"]
    with pytest.raises(exceptions.ContextTooLong) as raised:
        fit(messages, [1] * 5, 2, kept=2)
    assert raised.value.code == "context-too-long"


@pytest.mark.parametrize(
    ("sizes", "error"),
    [
        ([1, 10], exceptions.MessageTooLongForModel),
        ([5, 6], exceptions.MessageTooLongForModel),
        ([9, 2], exceptions.NotConfigured),
    ],
)
def test_what_never_fits_is_told_by_its_cause(
    sizes: list[int], error: type[exceptions.LLMError]
) -> None:
    with pytest.raises(error):
        fit([SYSTEM, *said("u1")], sizes, 10)


@given(
    sizes=st.lists(st.integers(1, 30), min_size=2, max_size=30),
    room=st.integers(1, 200),
)
def test_what_is_told_is_the_longest_end_that_fits(sizes: list[int], room: int) -> None:
    history = [f"{'ua'[n % 2]}{n}" for n in range(len(sizes) - 2)]
    messages = [SYSTEM, *said(*history), {"role": "user", "content": "newest"}]
    try:
        fitted = fit(messages, sizes, room)
    except exceptions.LLMError:
        assert sizes[0] + sizes[-1] > room
        return
    told, out = fitted.messages, fitted.left_out
    assert [*told[:1], *out, *told[1:]] == messages
    assert told[1]["role"] == "user"
    end = sizes[1 + len(out) :]
    assert sizes[0] + sum(end) <= room
    if out:
        turn = sizes[len(out) - 1 : 1 + len(out)]
        assert sizes[0] + sum(end) + sum(turn) > room


# What room there is


def test_an_answer_has_its_room() -> None:
    model = LLMConnect("DUMMY").model
    size = window.window_of(model) - window.TEMPLATE
    assert window.room_for(model, {}) == size - window.ANSWER
    assert window.room_for(model, {"max_tokens": 100}) == size - 100
    assert window.room_for(model, {"max_tokens": 10**9}) > size // 3
    assert window.room_for(model, {"max_tokens": "many"}) == size - window.ANSWER


def test_each_slot_of_the_engine_has_its_share(deadlines: Any) -> None:
    model = LLMModelType.SMOLLM2_135M_INSTRUCT
    assert window.window_of(model) == local.CONTEXT // 4
    deadlines(LOCAL_CONTEXT=6000, LOCAL_SLOTS=2)
    assert window.window_of(model) == 3000


# Asking


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a model of unknown window read 1,000 tokens."""
    monkeypatch.setattr(window, "DEFAULT_WINDOW", 1_000)


def long_talk(turns: int, text: str = "word " * 100) -> list[dict[str, Any]]:
    pairs = [said(f"u{n} {text}", f"a{n} {text}") for n in range(turns)]
    return [each for pair in pairs for each in pair]


async def test_what_fits_by_its_bytes_is_not_counted(
    scripted: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litellm_port, "count_tokens", None)
    invoker = scripted(long_talk(20))
    await invoker.asend_message("Hi")
    assert invoker.left_out == 0


@pytest.mark.usefixtures("small")
async def test_a_long_talk_is_cut_and_told(scripted: Invoke) -> None:
    invoker = scripted(long_talk(20), echo=True, max_tokens=300)
    asked = recorded(invoker)
    reply = await invoker.asend_message("Hi")
    assert reply.text == "Hi"
    (told,) = asked
    # 100 words are 100 tokens and some: two turns are over 400 then, three over 600.
    first_words = [each["content"].split()[0] for each in told]
    assert first_words == ["u18", "a18", "u19", "a19", "Hi"]
    assert invoker.left_out == 36
    assert len(invoker.history) == 42, "Nothing is forgotten."
    assert invoker.attempts[-1].asked < 2_500, "What was sent is what is counted."


@pytest.mark.usefixtures("small")
async def test_a_message_that_never_fits_is_not_sent(scripted: Invoke) -> None:
    invoker = scripted(long_talk(2))
    invoker.provider_events = None  # type: ignore[assignment,method-assign]
    with pytest.raises(exceptions.MessageTooLongForModel):
        await invoker.asend_message("word " * 1_000)


@pytest.mark.usefixtures("small")
async def test_a_summary_takes_the_place(scripted: Invoke) -> None:
    invoker = scripted(long_talk(20), max_tokens=300)
    summed: list[str] = []

    async def summarise(left_out: Sequence[dict[str, Any]]) -> str:
        summed.extend(each["content"].split()[0] for each in left_out)
        return "They spoke of words."

    invoker.summarise = summarise
    asked = recorded(invoker)
    await invoker.asend_message("Hi")
    assert asked[0][0] == {"role": "system", "content": "They spoke of words."}
    assert summed[:2] == ["u0", "a0"]
    assert summed[-1] == "a17"


async def test_pictures_take_room(scripted: Invoke) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    message = {"role": "user", "content": [{"type": "text", "text": "What?"}, picture]}
    assert window.at_most(message) == 5 + window.FRAME + window.PART


def test_litellm_counts_without_a_network() -> None:
    texts = ["word " * 1_000, "", "汉字" * 500]
    for model in ("openai/unknown", "anthropic/claude-haiku-4-5", "ollama/llama-3"):
        counts = litellm_port.count_tokens(model, texts)
        assert 1_000 <= counts[0] <= 1_500
        assert counts[1] == 0
        assert counts[2] <= len(texts[2].encode())


@pytest.mark.alone
async def test_the_engine_counts_by_its_own_tokenizer() -> None:
    pytest.importorskip("xllamacpp")
    invoker = LLMConnect(LLMModelType.SMOLLM2_135M_INSTRUCT).invoker()
    counts = await invoker.count_tokens(["Hello world", "", "word " * 500])
    assert counts[:2] == [2, 0]
    assert 500 <= counts[2] <= 510


@pytest.mark.alone
async def test_the_embedded_model_answers_a_talk_that_is_too_long(
    deadlines: Any,
) -> None:
    pytest.importorskip("xllamacpp")
    deadlines(LOCAL_CONTEXT=4096)
    connect = LLMConnect(LLMModelType.SMOLLM2_135M_INSTRUCT, max_tokens=8)
    invoker = connect.invoker(long_talk(40))
    async with asyncio.timeout(110):
        reply = await invoker.asend_message("Say hello.")
    assert reply.text
    assert 60 < invoker.left_out < 80
    assert reply.usage is not None
    assert reply.usage.input_tokens < window.window_of(connect.model)


def recorded(invoker: BaseInvoker) -> list[list[dict[str, Any]]]:
    """Return a list that fills with what an invoker is asked."""
    asked: list[list[dict[str, Any]]] = []
    tell = invoker.provider_events

    def heard(messages: list[dict[str, Any]]) -> Any:
        asked.append(messages)
        return tell(messages)

    invoker.provider_events = heard  # type: ignore[method-assign]
    return asked
