"""Sends messages through litellm: to a provider, the mock, or the engine in here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from polly_htmx.conf import conf
from polly_htmx.llm import exceptions, litellm_port, local, price_list
from polly_htmx.llm.base_invoker import BaseInvoker
from polly_htmx.llm.messages import (
    ChatMessage,
    ProviderEvent,
    Waking,
    without_system,
)
from polly_htmx.llm.problems import problem
from polly_htmx.llm.thinking import ThoughtSplitter

logger = logging.getLogger(__name__)


class LLMInvoker(BaseInvoker):
    """Keeps one conversation with a real model."""

    async def provider_events(
        self, messages: list[ChatMessage]
    ) -> AsyncGenerator[ProviderEvent]:
        """See BaseInvoker."""
        if not await self.is_awake():
            yield Waking()
        await price_list.aread()
        if self.connect.model.takes.system_prompt is False:
            messages = without_system(messages)
        call, splitter = await self._call(messages), ThoughtSplitter()
        async with aclosing(litellm_port.stream(call)) as events:
            async for event in events:
                if splitter.is_through:
                    yield event
                    continue
                for part in splitter.take(event):
                    yield part

    async def is_awake(self) -> bool:
        """See BaseInvoker."""
        file = self.connect.model.file
        return not file or await asyncio.to_thread(local.is_awake, file)

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See BaseInvoker."""
        file = self.connect.model.file
        if not file:
            return await super().count_tokens(texts)
        return await asyncio.to_thread(local.count_tokens, file, texts)

    async def _call(self, messages: list[ChatMessage]) -> litellm_port.Call:
        model = self.connect.model
        api_base, api_key = model.api_base, model.api_key
        if model.file:
            engine = await asyncio.to_thread(local.serve, model.file)
            api_base, api_key = engine.api_base, engine.api_key
        elif found := problem(model):
            logger.warning("model not set up model=%s: %s", model.name, found.text)
            raise exceptions.NotConfigured(found.text)
        return litellm_port.Call(
            model=model.litellm_model,
            messages=messages,
            # Ours come first; this one only cleans up behind them.
            timeout=conf.REPLY_MAX_SECONDS,
            params=self.connect.params,
            api_base=api_base,
            api_key=api_key,
            mock="mock_response" in self.connect.params,
            loopback=model.file is not None,
        )
