"""The provider that misbehaves to order, as models of POLLY."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings

from polly_htmx.llm import BaseInvoker, LLMConnect
from tests.fake_provider import FakeProvider
from tests.fake_scripts import SCRIPTS

CANARY = "sk-SECRETCANARY-0123456789"
"""The provider's key, which must turn up nowhere."""

Invoke = Callable[..., BaseInvoker]


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(SCRIPTS) as provider:
        yield provider


@pytest.fixture
def invoke(provider: FakeProvider, settings: Settings) -> Invoke:
    """Return a function that makes an invoker for one of the provider's scripts."""

    def make(script: str, *, prefix: str = "openai/", **params: Any) -> BaseInvoker:
        entry = {
            "model": f"{prefix}{script}",
            "api_base": provider.url,
            "api_key": CANARY,
        }
        # One question is one request here, until a test wants it otherwise.
        settings.POLLY = {"RETRIES": 0} | settings.POLLY | {"MODELS": {"FAKE": entry}}
        return LLMConnect("FAKE", **params).invoker()

    return make


@pytest.fixture
def scripted(settings: Settings) -> Invoke:
    """Return a function that makes a scripted invoker."""

    def make(history: Any = (), **script: Any) -> BaseInvoker:
        entry = {
            "backend": "polly_htmx.llm.scripted.ScriptedInvoker",
            "params": script,
        }
        settings.POLLY = settings.POLLY | {"MODELS": {"SCRIPT": entry}}
        return LLMConnect("SCRIPT").invoker(history)

    return make


@pytest.fixture
def deadlines(settings: Settings) -> Callable[..., None]:
    """Return a function that sets keys of POLLY."""

    def change(**keys: Any) -> None:
        settings.POLLY = settings.POLLY | keys

    return change
