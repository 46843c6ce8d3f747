"""Invokers of a site's own, for the tests of what reaches a model."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from polly_htmx.llm import ScriptedInvoker, Text
from polly_htmx.llm.messages import ProviderEvent

requests: list[list[dict[str, Any]]] = []
"""What the models were asked, newest last."""


class RecordingInvoker(ScriptedInvoker):
    """Writes down what it is asked, and plays its script."""

    async def provider_events(
        self, messages: list[dict[str, Any]]
    ) -> AsyncGenerator[ProviderEvent]:
        requests.append(messages)
        async for event in super().provider_events(messages):
            yield event


class BrokenInvoker(ScriptedInvoker):
    """Raises what no invoker should."""

    async def provider_events(
        self, messages: list[dict[str, Any]]
    ) -> AsyncGenerator[ProviderEvent]:
        if messages:
            raise RuntimeError("SECRET")
        yield Text("")
