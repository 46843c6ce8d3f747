"""What is sent to models that take no system prompt."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from polly_htmx.llm import LLMConnect
from polly_htmx.llm.messages import without_system
from tests.fake_provider import FakeProvider

SYSTEM = {"role": "system", "content": "Be brief."}
ANSWER = {"role": "assistant", "content": "Hello."}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


@pytest.mark.parametrize(
    ("messages", "sent"),
    [
        ([SYSTEM, user("Hi")], [user("Be brief.\n\nHi")]),
        ([user("Hi")], [user("Hi")]),
        (
            [SYSTEM, user("Hi"), ANSWER, user("Go on")],
            [user("Be brief.\n\nHi"), ANSWER, user("Go on")],
        ),
        (
            [SYSTEM, user([{"type": "text", "text": "Hi"}])],
            [
                user(
                    [
                        {"type": "text", "text": "Be brief."},
                        {"type": "text", "text": "Hi"},
                    ]
                )
            ],
        ),
    ],
)
def test_prompt_goes_before_the_first_question(messages: Any, sent: Any) -> None:
    before = [dict(message) for message in messages]
    assert without_system(messages) == sent
    assert messages == before


@pytest.mark.parametrize(
    ("takes", "first"), [({"system_prompt": False}, "user"), ({}, "system")]
)
async def test_model_is_told_in_the_way_it_takes(
    settings: Settings, provider: FakeProvider, takes: dict[str, bool], first: str
) -> None:
    entry = {"model": "openai/good", "api_base": provider.url, "takes": takes}
    settings.POLLY = {"MODELS": {"OLD": entry}}
    await LLMConnect("OLD", system_prompt="Be brief.").invoker().asend_message("Hi")
    [told, *_others] = provider.last.body["messages"]
    assert told["role"] == first
    assert told["content"].startswith("Be brief.")
