"""What calls cost that were stopped, or that the provider said nothing of."""

from __future__ import annotations

from contextlib import aclosing

import pytest
from pytest_django import Settings

from polly_htmx.llm import LLMConnect, Text, exceptions
from polly_htmx.llm.attempts import BYTES_PER_TOKEN, Attempt
from tests.fake_provider import FakeProvider
from tests.llm.conftest import Invoke


@pytest.mark.parametrize("prefix", ["openai/", "deepseek/"])
async def test_stopped_call_has_the_price_of_its_estimated_tokens(
    invoke: Invoke, provider: FakeProvider, prefix: str
) -> None:
    model = {"openai/": "gpt-5-mini", "deepseek/": "deepseek-v4-pro"}[prefix]
    provider.scripts[model] = provider.scripts["stall"]
    invoker = invoke(model, prefix=prefix)
    async with aclosing(invoker.astream_events("Hi " * 100)) as events:
        async for event in events:
            if isinstance(event, Text) and invoker.reply.text == "Hello world":
                break
    [attempt] = invoker.attempts
    assert attempt.usage is not None
    assert not attempt.usage.exact
    assert attempt.usage.input_tokens == 300 / BYTES_PER_TOKEN
    price = invoker.connect.model.price
    assert price is not None
    assert attempt.cost == price.of(attempt.usage) > 0


async def test_broken_call_of_a_model_that_nobody_lists_has_no_price(
    invoke: Invoke,
) -> None:
    invoker = invoke("cut")
    with pytest.raises(exceptions.Interrupted):
        await invoker.asend_message("Hi")
    assert invoker.attempts[-1].usage is not None
    assert invoker.attempts[-1].cost is None


async def test_stopped_call_in_here_is_free() -> None:
    invoker = LLMConnect("DUMMY").invoker()
    async with aclosing(invoker.astream_events("Hi")) as events:
        async for event in events:
            if isinstance(event, Text):
                break
    assert invoker.attempts[-1].cost == 0


async def test_silent_provider_is_priced_by_the_site(
    settings: Settings, provider: FakeProvider
) -> None:
    entry = {
        "model": "openai/no-usage",
        "api_base": provider.url,
        "price": {"input": 1, "output": 1},
    }
    settings.POLLY = {"MODELS": {"MINE": entry}}
    reply = await LLMConnect("MINE").invoker().asend_message("Hi")
    assert reply.usage is not None
    assert not reply.usage.exact
    assert reply.cost is not None
    assert reply.cost > 0


def test_call_by_nobody_knows_whom_has_no_price() -> None:
    attempt = Attempt(model="X", asked=8)
    attempt.heard(Text("Hello"))
    assert attempt.usage is not None
    assert attempt.cost is None
