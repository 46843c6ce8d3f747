"""What we read off the wire is what litellm reads: on every recorded stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from polly_htmx.llm import exceptions, litellm_answers, litellm_port
from polly_htmx.llm.exceptions import LLMError
from polly_htmx.llm.messages import Ending, ProviderEvent, Reasoning, Text, Usage
from tests.fake_provider import FakeProvider
from tests.fake_scripts import faulty_script, recorded
from tests.llm.conftest import CANARY
from tests.patience import PATIENCE

FOLDER = Path(__file__).parent / "recordings"
RECORDINGS = {path.stem: path.read_bytes() for path in sorted(FOLDER.glob("*.txt"))}
Heard = tuple[list[tuple[str, str]], list[Any], type[LLMError] | None]
Ask = Callable[..., Any]

STRICTER: dict[str, type[LLMError] | None] = {
    # litellm passes over what is no JSON there, and so over a part of the answer.
    "hosted_vllm/no_json": exceptions.BadResponse,
    "hosted_vllm/no_json_at_once": exceptions.BadResponse,
    # It takes the stream's last line for a finish reason, which it is not.
    "hosted_vllm/done_without_reason": None,
    # It does not know the word in a stream, though it does in a response.
    "hosted_vllm/error_limit": exceptions.RateLimited,
}
"""Where we differ on purpose, and the exception that comes of it."""


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    litellm_port.load()


@pytest.fixture
def ask(provider: FakeProvider) -> Ask:
    """Return a function that asks and gathers all that comes."""

    async def gather(script: str, prefix: str = "openai/", **params: Any) -> Heard:
        call = litellm_port.Call(
            model=f"{prefix}{script}",
            messages=[{"role": "user", "content": "What do parrots eat?"}],
            timeout=30,
            params=params,
            api_base=provider.url,
            api_key=CANARY,
        )
        said: list[tuple[type[ProviderEvent], str]] = []
        others, problem = [], None
        try:
            async with aclosing(litellm_port.stream(call)) as events:
                async for event in events:
                    if isinstance(event, Reasoning | Text):
                        said.append((type(event), event.text))
                    else:
                        others.append(event)
        except LLMError as exc:
            problem = type(exc)
        return in_runs(said), others, problem

    return gather


def in_runs(said: list[tuple[type[ProviderEvent], str]]) -> list[tuple[str, str]]:
    """Return texts and thoughts as they follow each other, however they came."""
    return [
        (kind.__name__, "".join(text for _kind, text in run))
        for kind, run in groupby(said, key=itemgetter(0))
    ]


def comparable(events: list[Any]) -> list[Any]:
    """Return the events without the name of the model, which litellm keeps to itself,
    and without the tokens of thoughts, which it guesses where nobody told them."""
    return [
        replace(event, answered_by="", usage=replace(event.usage, reasoning_tokens=0))
        if isinstance(event, Ending) and event.usage
        else event
        for event in events
    ]


@pytest.mark.parametrize("prefix", ["openai/", "hosted_vllm/"])
@pytest.mark.parametrize("recording", RECORDINGS)
async def test_recorded_stream_is_read_as_litellm_reads_it(
    ask: Ask,
    provider: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
    recording: str,
    prefix: str,
) -> None:
    provider.scripts["model"] = recorded(RECORDINGS[recording])
    text, others, problem = await ask("model", prefix)
    if prefix + recording in STRICTER:
        assert problem is STRICTER[prefix + recording]
        assert all(each.finish_reason is None for each in others)
        return
    # The same once more, by the request that litellm made the first time.
    assert await ask("model", prefix) == (text, others, problem)
    # As if somebody listened: then litellm itself asks and reads.
    monkeypatch.setattr(litellm_answers, "LISTENERS", ("__name__",))
    heard = await ask("model", prefix)
    assert text == heard[0]
    assert comparable(others) == comparable(heard[1])
    assert problem is heard[2]
    ours, again, also = provider.exchanges
    assert ours.body == again.body == also.body
    assert ours.path == again.path == also.path
    for exchange in provider.exchanges:
        del exchange.headers["content-length"]  # JSON has more than one spacing.
    assert ours.headers == again.headers == also.headers


async def test_provider_tells_who_answered_and_what_it_counted(ask: Ask) -> None:
    _text, others, _problem = await ask("told-exactly")
    assert others[-1].answered_by == "the-one-that-answered"
    usage = Usage(
        input_tokens=70,
        output_tokens=40,
        exact=True,
        cached_input_tokens=50,
        reasoning_tokens=30,
    )
    assert others[-1].usage == usage


@pytest.mark.parametrize("prefix", ["openai/", "hosted_vllm/", "anthropic/"])
async def test_no_redirect_is_followed(
    ask: Ask, provider: FakeProvider, prefix: str
) -> None:
    _text, _others, problem = await ask("redirected", prefix)
    assert problem is exceptions.NotConfigured
    assert len(provider.exchanges) == 1


async def test_line_that_never_ends_is_ended(ask: Ask, provider: FakeProvider) -> None:
    _text, _others, problem = await ask("endless-line")
    assert problem is exceptions.BadResponse
    assert await asyncio.to_thread(provider.last.closed.wait, PATIENCE)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (429, exceptions.RateLimited),
        (401, exceptions.NotAuthorised),
        ("invalid_api_key", exceptions.NotAuthorised),
        ("content_filter", exceptions.ContentRefused),
        ("model_not_found", exceptions.NotConfigured),
        ({}, exceptions.Unavailable),
    ],
)
async def test_error_in_the_stream_says_what_happened(
    ask: Ask, provider: FakeProvider, code: object, expected: type[LLMError]
) -> None:
    provider.scripts["model"] = faulty_script({"message": "No", "code": code})
    _text, _others, problem = await ask("model")
    assert problem is expected


async def test_litellm_reads_where_somebody_listens_to_it(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    litellm = litellm_port.load()
    assert (await ask("good"))[1][-1].answered_by == "good"
    monkeypatch.setattr(litellm, "success_callback", [lambda *_: None])
    assert (await ask("good"))[1][-1].answered_by == ""
