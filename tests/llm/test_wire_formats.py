"""Providers with formats of their own: each says all, through litellm, over HTTP."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest
from pytest_django import Settings

from polly_htmx.llm import (
    BaseInvoker,
    LLMConnect,
    exceptions,
    litellm_answers,
    litellm_port,
)
from tests.fake_provider import Exchange, FakeProvider, Script
from tests.llm.conftest import CANARY
from tests.llm.wire_formats import (
    FORMATS,
    GOOGLE,
    PIECES,
    THOUGHT,
    TOOL,
    Event,
    Format,
    _google,
    played,
)

TEXT = "".join(PIECES)


class Provider:
    """One provider, and an invoker that asks it."""

    def __init__(self, form: Format, fake: FakeProvider, settings: Settings) -> None:
        self.form, self.fake = form, fake
        entry = {
            "model": form.model,
            "api_base": fake.url.removesuffix("/v1"),
            "api_key": CANARY,
        }
        settings.POLLY = {"RETRIES": 0} | settings.POLLY | {"MODELS": {"MODEL": entry}}

    def plays(self, *parts: Iterable[Event]) -> None:
        """Send these events to whoever asks."""
        self.acts(played(self.form, *parts))

    def acts(self, script: Script) -> None:
        """Do this to whoever asks."""
        self.fake.scripts = defaultdict(lambda: script)

    @property
    def asked(self) -> list[Exchange]:
        """The questions. litellm asks Ollama about the model besides, when it likes."""
        return [each for each in self.fake.exchanges if each.path == self.form.path]

    def invoker(self, **params: Any) -> BaseInvoker:
        return LLMConnect("MODEL", system_prompt="Be brief.", **params).invoker()


@pytest.fixture(params=FORMATS)
def served(
    request: pytest.FixtureRequest, provider: FakeProvider, settings: Settings
) -> Provider:
    return Provider(FORMATS[request.param], provider, settings)


async def test_answer_comes_whole_with_its_figures(served: Provider) -> None:
    served.plays(served.form.text(), served.form.end("stop"))
    invoker = served.invoker(max_tokens=50)
    pieces = [piece async for piece in invoker.astream_message("What do they eat?")]
    reply = invoker.reply
    assert "".join(pieces) == reply.text == TEXT
    assert len(pieces) > 1
    assert reply.finish_reason == "stop"
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (7, 4)
    assert reply.usage.exact


async def test_provider_is_asked_once_and_with_the_key_in_its_place(
    served: Provider,
) -> None:
    served.plays(served.form.text(), served.form.end("stop"))
    await served.invoker(max_tokens=50).asend_message("What do they eat?")
    (asked,) = served.asked
    assert CANARY in asked.headers.pop(served.form.key)
    assert CANARY not in json.dumps([asked.path, asked.headers, asked.body])
    told = json.dumps(asked.body)
    assert "Be brief." in told
    assert "What do they eat?" in told
    assert "50" in told


async def test_history_goes_along(served: Provider) -> None:
    served.plays(served.form.text(), served.form.end("stop"))
    invoker = served.invoker()
    await invoker.asend_message("one")
    await invoker.asend_message("two")
    told = json.dumps(served.asked[-1].body, ensure_ascii=False)
    assert told.index("one") < told.index(TEXT) < told.index("two")


async def test_answer_at_its_limit_says_so(served: Provider) -> None:
    served.plays(served.form.text(), served.form.end("length"))
    reply = await served.invoker().asend_message("Hi")
    assert reply.finish_reason == "length"


async def test_answer_that_breaks_off_is_none(served: Provider) -> None:
    served.plays(served.form.text())
    invoker = served.invoker()
    with pytest.raises(exceptions.Interrupted):
        await invoker.asend_message("Hi")
    assert invoker.reply.text == TEXT


async def test_nothing_is_no_answer(served: Provider) -> None:
    served.plays()
    with pytest.raises(exceptions.BadResponse):
        await served.invoker().asend_message("Hi")


async def test_thoughts_come_apart(served: Provider) -> None:
    served.plays(served.form.thought(), served.form.text(), served.form.end("stop"))
    reply = await served.invoker().asend_message("Hi")
    assert (reply.reasoning, reply.text) == (THOUGHT, TEXT)


async def test_tool_is_asked_for(served: Provider) -> None:
    served.plays(served.form.tool(), served.form.end("stop"))
    reply = await served.invoker().asend_message("Hi")
    (call,) = reply.tool_calls
    assert call.name == TOOL["name"]
    assert json.loads(call.arguments) == TOOL["arguments"]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("401 Unauthorized", exceptions.NotAuthorised),
        ("404 Not Found", exceptions.NotConfigured),
        ("429 Too Many Requests", exceptions.RateLimited),
        ("500 Internal Server Error", exceptions.Unavailable),
        ("503 Service Unavailable", exceptions.Unavailable),
    ],
)
async def test_refusal_is_understood_and_not_repeated(
    served: Provider, status: str, error: type[exceptions.LLMError]
) -> None:
    body = json.dumps({"error": {"message": f"No {CANARY}", "type": "x"}})

    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(status, body, content_type="application/json")

    served.acts(refuse)
    with pytest.raises(error) as raised:
        await served.invoker().asend_message("Hi")
    assert CANARY not in f"{raised.value!r} {raised.value} {raised.value.__cause__}"
    assert len(served.asked) == 1


async def test_page_is_no_answer(served: Provider) -> None:
    async def page(exchange: Exchange) -> None:
        await exchange.answer("200 OK", "<html>WLAN</html>", content_type="text/html")

    served.acts(page)
    with pytest.raises(exceptions.LLMError) as raised:
        await served.invoker().asend_message("Hi")
    assert isinstance(raised.value, (exceptions.BadResponse, exceptions.Unavailable)), (
        raised.value
    )


async def test_last_words_may_come_with_the_end(
    provider: FakeProvider, settings: Settings
) -> None:
    served = Provider(GOOGLE, provider, settings)
    served.plays([_google({"text": "Hel"}), _google({"text": "lo"}, "STOP")])
    reply = await served.invoker().asend_message("Hi")
    assert (reply.text, reply.finish_reason) == ("Hello", "stop")


async def test_filtered_answer_is_refused(
    provider: FakeProvider, settings: Settings
) -> None:
    served = Provider(GOOGLE, provider, settings)
    served.plays([_google({"text": "Hel"}), _google(None, "SAFETY")])
    with pytest.raises(exceptions.ContentRefused):
        await served.invoker().asend_message("Hi")


async def test_one_provider_makes_no_other_slow(served: Provider) -> None:
    # What litellm loads for Google names its cache among those who listen.
    served.plays(served.form.text(), served.form.end("stop"))
    await served.invoker().asend_message("Hi")
    litellm = litellm_port.load()
    assert not litellm_answers.is_heard(litellm)
