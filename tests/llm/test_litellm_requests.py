"""A request that is sent again is the one that litellm would make."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from polly_htmx.llm import litellm_port, litellm_requests
from polly_htmx.llm.exceptions import LLMError
from polly_htmx.llm.litellm_port import Call
from polly_htmx.llm.messages import ChatMessage, Text
from polly_htmx.llm.transport import Transport
from tests.fake_provider import Exchange, FakeProvider
from tests.fake_scripts import SCRIPTS
from tests.llm.conftest import CANARY

Ask = Callable[..., Any]

HI: list[ChatMessage] = [{"role": "user", "content": "Hi"}]
TALK: list[ChatMessage] = [
    {"role": "system", "content": "Be a parrot."},
    {"role": "user", "content": "Hi, “Polly” \U0001f99c\n\x00"},
    {"role": "assistant", "content": "Hello </script>"},
    {"role": "user", "content": "What do you eat?"},
]
REFUSALS = [
    "unauthorised",
    "forbidden",
    "rate-limited",
    "too-long",
    "unknown-model",
    "refused",
    "broken-inside",
    "redirected",
    "not-so",
]


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    litellm_port.load()


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> dict[Any, Any]:
    """Forget what other tests have asked, and return what this one leaves."""
    kept: dict[Any, Any] = {}
    monkeypatch.setattr(litellm_requests, "_kept", kept)
    return kept


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the models that litellm itself is asked for, as it happens."""
    litellm = litellm_port.load()
    models: list[str] = []
    ask = litellm.acompletion

    async def noted(**arguments: Any) -> Any:
        models.append(arguments["model"])
        return await ask(**arguments)

    monkeypatch.setattr(litellm, "acompletion", noted)
    return models


@pytest.fixture
def ask(provider: FakeProvider) -> Ask:
    """Return a function that asks, and returns the text and the problem."""

    async def gather(
        messages: list[ChatMessage] = HI,
        *,
        prefix: str = "openai/",
        **changed: Any,
    ) -> tuple[str, LLMError | None]:
        given: dict[str, Any] = {
            "model": f"{prefix}good",
            "messages": messages,
            "timeout": 30,
            "api_base": provider.url,
            "api_key": CANARY,
        }
        text = ""
        try:
            async with aclosing(litellm_port.stream(Call(**given | changed))) as events:
                async for event in events:
                    text += event.text if isinstance(event, Text) else ""
        except LLMError as exc:
            return text, exc
        return text, None

    return gather


async def not_so(exchange: Exchange) -> None:
    body = '{"error": {"message": "No", "param": "temperature"}}'
    await exchange.answer("422 Unprocessable", body, content_type="application/json")


@pytest.mark.parametrize("prefix", ["openai/", "hosted_vllm/"])
@pytest.mark.parametrize("params", [{}, {"temperature": 0.5, "stop": ["."]}])
async def test_second_request_is_as_litellm_makes_it(
    ask: Ask, provider: FakeProvider, asked: list[str], prefix: str, params: Any
) -> None:
    first = [*TALK[:1], {"role": "user", "content": "First"}]
    for messages in (first, TALK):
        assert await ask(messages, prefix=prefix, params=params) == (
            "Hello world",
            None,
        )
    assert len(asked) == 1
    litellm_requests._kept.clear()
    await ask(TALK, prefix=prefix, params=params)
    assert len(asked) == 2
    _first, ours, theirs = provider.exchanges
    assert ours.body == theirs.body
    assert list(ours.body) == list(theirs.body)
    assert ours.path == theirs.path
    # JSON has more than one spacing.
    assert _lasting(ours.headers) == _lasting(theirs.headers)
    assert ours.body["messages"] == TALK


def _lasting(headers: dict[str, str]) -> dict[str, str]:
    return headers | {"content-length": ""}


@pytest.mark.parametrize(
    "changed",
    [
        {"api_key": "another"},
        {"params": {"temperature": 1}},
        {"params": {"extra_body": object}},
        {"timeout": 29},
        {"model": "hosted_vllm/good"},
        {"messages": TALK},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]},
        {"messages": [*HI, *HI]},
        {"messages": [{"role": "user", "content": "Hi", "name": "Ada"}]},
        {"messages": [*HI, {"role": "assistant", "content": "And"}]},
        {"messages": [{"role": "user", "content": ""}]},
    ],
)
async def test_litellm_is_asked_for_a_request_of_another_kind(
    ask: Ask, asked: list[str], changed: dict[str, Any]
) -> None:
    await ask()
    await ask(**changed)
    assert len(asked) == 2


async def test_litellm_finds_a_key_of_its_own_each_time(
    ask: Ask,
    provider: FakeProvider,
    asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", provider.url)
    for key in ("sk-one", "sk-two"):
        monkeypatch.setenv("OPENAI_API_KEY", key)
        await ask(api_base=None, api_key=None)
        assert provider.last.headers["authorization"] == f"Bearer {key}"
    assert len(asked) == 2


@pytest.mark.parametrize("name", ["pre_call_rules", "success_callback"])
async def test_litellm_is_asked_where_somebody_takes_part(
    ask: Ask, asked: list[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    await ask()
    monkeypatch.setattr(litellm_port.load(), name, [lambda *_, **__: True])
    await ask()
    assert len(asked) == 2


async def test_litellm_is_not_asked_for_its_own_name(
    ask: Ask, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Which it leaves there once a model of Google's was asked.
    for name in ("input_callback", "success_callback"):
        monkeypatch.setattr(litellm_port.load(), name, ["cache"])
    await ask()
    await ask()
    assert len(asked) == 1


async def test_litellm_is_asked_again_after_a_while(
    ask: Ask, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litellm_requests, "FRESH", 0)
    await ask()
    await ask()
    assert len(asked) == 2


async def test_few_requests_are_kept(
    ask: Ask, forgotten: dict[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litellm_requests, "MOST", 2)
    for number in range(3):
        await ask(api_key=f"key-{number}")
    assert len(forgotten) == 1


async def test_messages_are_not_kept_and_keys_not_shown(
    ask: Ask, forgotten: dict[Any, Any]
) -> None:
    await ask(TALK)
    (kept,) = forgotten.values()
    assert "parrot" not in repr(kept)
    assert CANARY not in repr(kept)


@pytest.mark.parametrize("script", REFUSALS)
async def test_refusal_is_told_as_litellm_tells_it(
    ask: Ask, provider: FakeProvider, asked: list[str], script: str
) -> None:
    problems: list[Any] = []
    for warm in (True, False):
        litellm_requests._kept.clear()
        if warm:
            provider.scripts["good"] = SCRIPTS["good"]
            await ask()
        provider.scripts["good"] = {**SCRIPTS, "not-so": not_so}[script]
        problems.append((await ask())[1])
        assert len(asked) == (1 if warm else 2)
    ours, theirs = problems
    assert type(ours) is type(theirs)
    assert ours is not None
    assert getattr(ours, "retry_after", None) == getattr(theirs, "retry_after", None)
    assert ours.__cause__ is None
    assert ours.__context__ is None
    assert CANARY not in str(ours)


async def test_request_is_forgotten_when_it_fails(
    ask: Ask, provider: FakeProvider, asked: list[str]
) -> None:
    await ask()
    provider.scripts["good"] = SCRIPTS["forbidden"]
    await ask()
    assert len(asked) == 1
    provider.scripts["good"] = SCRIPTS["good"]
    assert await ask() == ("Hello world", None)
    assert len(asked) == 2


FAULTS = [
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("late"),
    httpx.ReadTimeout("late"),
    httpx.ReadError("reset"),
    httpx.RemoteProtocolError("gone"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
async def test_fault_of_the_line_is_told_as_litellm_tells_it(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise fault

    problems = []
    for warm in (True, False):
        litellm_requests._kept.clear()
        if warm:
            await ask()
        with monkeypatch.context() as patched:
            patched.setattr(Transport, "handle_async_request", fail)
            problems.append(type((await ask())[1]))
    assert problems[0] is problems[1]
    assert problems[0] is not type(None)
