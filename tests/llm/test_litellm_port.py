"""Each fault of a provider, over a real socket and the real litellm."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing

import pytest
from pytest_django import Settings

from polly_htmx.llm import LLMConnect, Reasoning, ToolCall, exceptions, litellm_port
from polly_htmx.llm.exceptions import LLMError
from tests.fake_provider import Exchange, FakeProvider, closed_port
from tests.llm.conftest import CANARY, Invoke
from tests.patience import PATIENCE

FAULTS: list[tuple[str, type[LLMError], str]] = [
    ("hang", exceptions.TimedOut, ""),
    ("silence", exceptions.TimedOut, ""),
    ("stall", exceptions.TimedOut, "Hello world"),
    ("pings", exceptions.TimedOut, ""),
    ("blanks", exceptions.TimedOut, ""),
    ("unauthorised", exceptions.NotAuthorised, ""),
    ("forbidden", exceptions.NotAuthorised, ""),
    ("rate-limited", exceptions.RateLimited, ""),
    ("too-long", exceptions.ContextTooLong, ""),
    ("unknown-model", exceptions.NotConfigured, ""),
    ("refused", exceptions.RequestRefused, ""),
    ("broken-inside", exceptions.Unavailable, ""),
    ("html200", exceptions.EmptyAnswer, ""),
    ("json200", exceptions.EmptyAnswer, ""),
    ("empty", exceptions.EmptyAnswer, ""),
    ("done-only", exceptions.EmptyAnswer, ""),
    ("stop-only", exceptions.EmptyAnswer, ""),
    ("white", exceptions.EmptyAnswer, " \n"),
    ("cut", exceptions.Interrupted, "Hello world"),
    ("done-without-reason", exceptions.Interrupted, "Hello world"),
    ("reset", exceptions.Interrupted, "Hello world"),
    ("chunked-cut", exceptions.Interrupted, "Hello "),
    ("error-event", exceptions.Interrupted, "Hello world"),
    ("error-event-first", exceptions.Unavailable, ""),
    ("bad-json", exceptions.Interrupted, "Hello world"),
    ("bad-json-first", exceptions.BadResponse, ""),
    ("bad-utf8", exceptions.Interrupted, "Hello world"),
    ("filtered", exceptions.ContentRefused, "Hello world"),
]


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """Import litellm before a deadline counts it in."""
    litellm_port.load()


@pytest.mark.parametrize(("script", "expected", "text"), FAULTS)
async def test_fault_is_told_in_our_own_words(
    invoke: Invoke,
    deadlines: Callable[..., None],
    script: str,
    expected: type[LLMError],
    text: str,
) -> None:
    invoker = invoke(script)
    if expected is exceptions.TimedOut:
        first = 10 if text else 0.4  # A first piece that comes must have its time.
        deadlines(FIRST_TOKEN_TIMEOUT=first, GAP_TIMEOUT=1)
    with pytest.raises(LLMError) as caught:
        await invoker.asend_message("Hi")
    assert type(caught.value) is expected
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert CANARY not in repr(caught.value) + str(caught.value)
    assert "<script>" not in str(caught.value)
    assert invoker.reply is not None
    assert invoker.reply.text == text
    assert invoker.history == []


NEVER_COMPLETE = ["html200", "empty", "done-only", "cut", "reset", "chunked-cut"]


@pytest.mark.parametrize("prefix", ["openai/", "hosted_vllm/", "deepseek/"])
@pytest.mark.parametrize("script", NEVER_COMPLETE)
async def test_broken_stream_is_never_complete(
    invoke: Invoke, script: str, prefix: str
) -> None:
    invoker = invoke(script, prefix=prefix)
    with pytest.raises((exceptions.Interrupted, exceptions.BadResponse)):
        await invoker.asend_message("Hi")
    assert invoker.history == []


async def test_connection_refused_is_unavailable(
    invoke: Invoke, provider: FakeProvider
) -> None:
    provider.port = closed_port()
    with pytest.raises(exceptions.Unavailable) as caught:
        await invoke("good").asend_message("Hi")
    assert type(caught.value) is exceptions.Unavailable


@pytest.mark.parametrize("model", ["opnai/good", "nobody-knows-this"])
async def test_unknown_provider_is_not_configured(
    settings: Settings, provider: FakeProvider, model: str
) -> None:
    entry = {"model": model, "api_base": provider.url, "api_key": CANARY}
    settings.POLLY = {"MODELS": {"LOST": entry}}
    with pytest.raises(exceptions.NotConfigured) as caught:
        await LLMConnect("LOST").invoker().asend_message("Hi")
    assert CANARY not in repr(caught.value)
    assert provider.exchanges == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "127.0.0.1:1/v1",
        f"ftp://{CANARY}@x/v1",
        "http://",
        "http://x:y/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_",
    ],
)
async def test_address_that_is_none_is_not_configured(
    settings: Settings, address: str
) -> None:
    entry = {"model": "openai/good", "api_base": address}
    settings.POLLY = {"MODELS": {"LOST": entry}}
    with pytest.raises(exceptions.NotConfigured, match="no address") as caught:
        await LLMConnect("LOST").invoker().asend_message("Hi")
    assert CANARY not in str(caught.value)


async def test_address_of_a_website_is_told_from_a_models(
    invoke: Invoke, provider: FakeProvider
) -> None:
    async def website(exchange: Exchange) -> None:
        await exchange.answer("404 Not Found", "<h1>404</h1>", content_type="text/html")

    provider.scripts["website"] = website
    with pytest.raises(exceptions.NotConfigured):
        await invoke("website").asend_message("Hi")
    with pytest.raises(exceptions.BadResponse):
        await invoke("html200").asend_message("Hi")


async def test_key_that_is_missing_is_named_and_nobody_asked(
    settings: Settings, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POLLY_NO_SUCH_KEY", raising=False)
    entry = {"model": "openai/good", "api_base": provider.url}
    settings.POLLY = {"MODELS": {"M": entry | {"api_key": "env:POLLY_NO_SUCH_KEY"}}}
    with pytest.raises(exceptions.NotConfigured, match="POLLY_NO_SUCH_KEY"):
        await LLMConnect("M").invoker().asend_message("Hi")
    assert provider.exchanges == []


async def test_unknown_host_is_unavailable(settings: Settings) -> None:
    entry = {"model": "openai/good", "api_base": "http://no-such-host.invalid/v1"}
    settings.POLLY = {"MODELS": {"LOST": entry}}
    with pytest.raises(exceptions.Unavailable) as caught:
        await LLMConnect("LOST").invoker().asend_message("Hi")
    assert type(caught.value) is exceptions.Unavailable


async def test_server_without_tls_is_unavailable(settings: Settings) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        entry = {"model": "openai/good", "api_base": f"https://127.0.0.1:{port}/v1"}
        settings.POLLY = {"MODELS": {"PLAIN": entry}}
        with pytest.raises(exceptions.Unavailable) as caught:
            await LLMConnect("PLAIN").invoker().asend_message("Hi")
    assert type(caught.value) is exceptions.Unavailable


async def test_rate_limit_says_when_to_come_back(
    invoke: Invoke, provider: FakeProvider
) -> None:
    with pytest.raises(exceptions.RateLimited) as caught:
        await invoke("rate-limited").asend_message("Hi")
    assert caught.value.retry_after == 7
    assert len(provider.exchanges) == 1


async def test_drip_ends_when_the_whole_takes_too_long(
    invoke: Invoke, deadlines: Callable[..., None], provider: FakeProvider
) -> None:
    invoker = invoke("drip")
    deadlines(REPLY_MAX_SECONDS=3)  # Time enough for the first pieces.
    with pytest.raises(exceptions.TimedOut):
        await invoker.asend_message("Hi")
    assert invoker.reply is not None
    assert invoker.reply.text.startswith("0 1 2 ")
    assert provider.last.closed.wait(PATIENCE)


ANSWERS = {
    "good": "Hello world",
    "no-usage": "Hello world",
    "finish-on-content": "All at once",
    "odd-but-legal": "Fine.",
    "split-utf8": "naïve 🦜 日本",
    "strange-text": "a\ufffdbc\ufffdd\U0001f600e\ufffd",
    "after-the-end": "Hello world",
    "repeated": "same " * 250,
}


@pytest.mark.parametrize("script", ANSWERS)
async def test_answer_is_complete_when_the_provider_said_so(
    invoke: Invoke, script: str
) -> None:
    reply = await invoke(script).asend_message("Hi")
    assert (reply.text, reply.finish_reason) == (ANSWERS[script], "stop")


async def test_usage_is_exact_when_the_provider_gave_it(invoke: Invoke) -> None:
    usage = (await invoke("good").asend_message("Hi")).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.exact) == (7, 4, True)
    guess = (await invoke("no-usage").asend_message("Hi")).usage
    assert guess is not None
    assert not guess.exact


async def test_cost_is_known_when_litellm_has_a_price(
    invoke: Invoke, provider: FakeProvider
) -> None:
    provider.scripts["gpt-5-mini"] = provider.scripts["good"]
    cost = (await invoke("gpt-5-mini").asend_message("Hi")).cost
    assert cost is not None
    assert 0 < cost < 1
    assert (await invoke("good").asend_message("Hi")).cost is None


async def test_price_of_the_site_counts_instead_of_the_table(
    settings: Settings, provider: FakeProvider
) -> None:
    provider.scripts["gpt-5-mini"] = provider.scripts["good"]
    entry = {
        "model": "openai/gpt-5-mini",
        "api_base": provider.url,
        "price": {"input": 1_000_000, "output": 2_000_000},
    }
    settings.POLLY = {"MODELS": {"MINE": entry}}
    reply = await LLMConnect("MINE").invoker().asend_message("Hi")
    assert reply.cost == 7 + 2 * 4


async def test_length_is_a_finished_answer(invoke: Invoke) -> None:
    reply = await invoke("length").asend_message("Hi")
    assert (reply.text, reply.finish_reason) == ("Hello world", "length")


async def test_thoughts_are_events_of_their_own(invoke: Invoke) -> None:
    invoker = invoke("thinking")
    events = [event async for event in invoker.astream_events("Hi")]
    assert events[:2] == [Reasoning("Let me see. "), Reasoning("Yes.")]
    assert invoker.reply is not None
    assert invoker.reply.reasoning == "Let me see. Yes."
    assert invoker.reply.text == "Hello world"


async def test_thoughts_in_line_are_taken_off_the_answer(invoke: Invoke) -> None:
    reply = await invoke("thinking-in-line").asend_message("Hi")
    assert (reply.text, reply.reasoning) == ("Hello", "\nLet me see. ")


async def test_a_thought_is_a_sign_of_life(
    invoke: Invoke, deadlines: Callable[..., None]
) -> None:
    deadlines(FIRST_TOKEN_TIMEOUT=60, GAP_TIMEOUT=0.2)
    invoker = invoke("only-thinking")
    with pytest.raises(exceptions.TimedOut, match="next piece"):
        await invoker.asend_message("Hi")
    assert invoker.attempts[-1].has_spoken


async def test_tool_call_comes_whole(invoke: Invoke) -> None:
    reply = await invoke("tool").asend_message("Hi")
    call = ToolCall(id="call_1", name="weather", arguments='{"city": "Rome"}')
    assert reply.tool_calls == (call,)
    assert reply.finish_reason == "tool_calls"


async def test_huge_chunk_is_cut(invoke: Invoke) -> None:
    reply = await invoke("large").asend_message("Hi")
    assert (len(reply.text), reply.finish_reason) == (200_000, "cut")


async def test_connection_closes_when_the_stream_is_closed(
    invoke: Invoke, provider: FakeProvider
) -> None:
    stream = invoke("drip").astream_message("Hi")
    await anext(stream)
    started = time.monotonic()
    await stream.aclose()
    assert provider.last.closed.wait(PATIENCE)
    assert provider.last.closed_at - started < 0.2


async def test_connection_closes_when_the_task_is_cancelled(
    invoke: Invoke, provider: FakeProvider
) -> None:
    for script in ("hang", "silence", "stall"):
        task = asyncio.create_task(invoke(script).asend_message("Hi"))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(provider.last.closed.wait, 1)


@pytest.mark.alone
async def test_loop_stays_free_when_a_burst_comes(invoke: Invoke) -> None:
    worst = 0.0

    async def tick() -> None:
        nonlocal worst
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.001)
            worst = max(worst, time.monotonic() - before)

    await invoke("no-usage").asend_message("Hi")  # What is made once is made by now.
    ticker = asyncio.create_task(tick())
    reply = await invoke("burst").asend_message("Hi")
    ticker.cancel()
    assert reply.text.endswith("1999 ")
    assert worst < 0.05


async def test_request_holds_nothing_but_the_question(
    invoke: Invoke, provider: FakeProvider
) -> None:
    invoker = invoke("good", system_prompt="Be brief.", temperature=0.5)
    await invoker.asend_message("One")
    await invoker.asend_message("Two")
    assert provider.last.body == {
        "model": "good",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "One"},
            {"role": "assistant", "content": "Hello world"},
            {"role": "user", "content": "Two"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
    }
    assert provider.last.headers["authorization"] == f"Bearer {CANARY}"


async def test_parts_go_out_as_they_are(invoke: Invoke, provider: FakeProvider) -> None:
    parts: list[dict[str, object]] = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
    ]
    await invoke("good").asend_message(parts)
    assert provider.last.body["messages"] == [{"role": "user", "content": parts}]


def test_sync_methods_work_over_the_socket(invoke: Invoke) -> None:
    invoker = invoke("good")
    assert invoker.send_message("Hi").text == "Hello world"
    assert "".join(invoker.stream_message("Hi")) == "Hello world"


async def test_key_from_the_environment_stays_when_the_address_is_another(
    provider: FakeProvider, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    entry = {"model": "openai/good", "api_base": provider.url}
    settings.POLLY = {"MODELS": {"FREE": entry}}
    await LLMConnect("FREE").invoker().asend_message("Hi")
    assert CANARY not in str(provider.last.headers)


async def test_answers_keep_apart_when_others_are_cancelled(
    provider: FakeProvider, invoke: Invoke
) -> None:
    provider.pace = 0.01
    invokers = [invoke("echo") for _ in range(40)]

    async def ask(number: int) -> str:
        text = f"canary-{number}"
        async with aclosing(invokers[number].astream_message(text)) as stream:
            return "".join([piece async for piece in stream])

    tasks = [asyncio.create_task(ask(number)) for number in range(40)]
    for number in range(0, 40, 2):
        await asyncio.sleep(0.002 * (number % 7))
        tasks[number].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    for number in range(1, 40, 2):
        assert answers[number] == f"canary-{number}"
    assert await ask(0) == "canary-0"


async def test_answer_that_repeats_for_ever_is_cut(
    invoke: Invoke, provider: FakeProvider
) -> None:
    reply = await invoke("endless").asend_message("Hi")
    assert (len(reply.text), reply.finish_reason) == (200_000, "cut")
    assert await asyncio.to_thread(provider.last.closed.wait, PATIENCE)


@pytest.mark.parametrize("prefix", ["openai/", "hosted_vllm/"])
async def test_connection_is_kept_for_the_next_question(
    invoke: Invoke, provider: FakeProvider, prefix: str
) -> None:
    reply = await invoke("kept", prefix=prefix).asend_message("Hi")
    assert reply.text == "Hi"
    assert not await asyncio.to_thread(provider.last.closed.wait, 0.1)
