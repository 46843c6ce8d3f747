from __future__ import annotations

import pytest
from pytest_django import Settings

from polly_htmx.llm import LLMConnect, LLMInvoker, exceptions


async def test_dummy_is_the_same_each_time_and_costs_nothing() -> None:
    invoker = LLMConnect("DUMMY").invoker()
    assert isinstance(invoker, LLMInvoker)
    first = await invoker.asend_message("Hi")
    second = await invoker.asend_message("Something else")
    assert first.text == second.text
    assert first.finish_reason == "stop"
    assert first.cost == 0
    pieces = [piece async for piece in invoker.astream_message("Hi")]
    assert len(pieces) > 3


async def test_answer_of_a_mock_is_the_one_that_a_site_wrote(
    settings: Settings,
) -> None:
    settings.POLLY = {"MODELS": {"CANNED": {"params": {"mock_response": "Canned."}}}}
    reply = await LLMConnect("CANNED").invoker().asend_message("Hi")
    assert (reply.text, reply.finish_reason) == ("Canned.", "stop")


async def test_hosted_model_is_not_configured_when_its_key_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(exceptions.NotConfigured, match="OPENAI_API_KEY"):
        await LLMConnect("GPT_5_4_MINI").invoker().asend_message("Hi")


def test_invoker_is_made_from_a_connection_with_history() -> None:
    history = [{"role": "user", "content": "Hi"}]
    assert LLMInvoker(LLMConnect("DUMMY"), history=history).history == history
