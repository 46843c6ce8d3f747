"""The only module that speaks to litellm."""

from __future__ import annotations

import asyncio
import gc
import math
import os
import sys
import threading
import warnings
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from polly_htmx.llm import (
    litellm_answers,
    litellm_faults,
    litellm_requests,
    redaction,
)
from polly_htmx.llm.deltas import Deltas
from polly_htmx.llm.litellm_chunks import Chunks
from polly_htmx.llm.messages import ChatMessage, ProviderEvent

if TYPE_CHECKING:
    import httpx

SWITCHES: dict[str, Any] = {
    # Quiet: no advice on stdout, no messages in exceptions, no telemetry.
    "suppress_debug_info": True,
    "disable_streaming_logging": True,
    "telemetry": False,
    "turn_off_message_logging": True,
    "redact_messages_in_exceptions": True,
    # What counts tokens shall fetch no tokenizer from a hub meanwhile.
    "disable_hf_tokenizer_download": True,
    # All go by a session of ours, whose transport tells a reset from an end.
    "disable_aiohttp_transport": True,
    # It takes 100 equal pieces for a fault, but a ruler of dashes is none. Our own
    # limits end a model that loops.
    "REPEATED_STREAMING_CHUNK_LIMIT": sys.maxsize,
}

# Without these, importing it calls out for a price list and reads ./.env.
ENVIRONMENT = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}

NO_KEY = "no-key"
"""Sent where none is set, lest a key from the environment goes to any address."""

MARGIN = 1.1
"""How much more tokens a model may make of a text than litellm's tokenizer does."""

_lock = threading.Lock()
_litellm: Any = None
_loopback_clients: dict[tuple[str, str], Any] = {}


@dataclass(frozen=True, kw_only=True)
class Call:
    """One question to a model."""

    model: str
    messages: list[ChatMessage] = field(repr=False)
    timeout: float
    params: Mapping[str, Any] = field(default_factory=dict, repr=False)
    api_base: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    mock: bool = False
    """Whether litellm's mock is to answer."""
    loopback: bool = False
    """Whether the address is this process's own, which no proxy may see."""


async def stream(call: Call) -> AsyncGenerator[ProviderEvent]:
    """Ask, and yield what comes as our own events; raise only LLMError."""
    problem = litellm = answer = None
    redaction.remember(call.api_key)
    try:
        litellm = _litellm or await asyncio.to_thread(load)
        answer = response = await litellm_requests.ask(litellm, call)
        if answer is None:
            answer = await litellm.acompletion(**_arguments(call))
            response = litellm_answers.wire(litellm, answer)
            litellm_requests.keep(litellm, call, response)
        async with aclosing(_read(litellm, call, answer, response)) as events:
            async for event in events:
                yield event
    except Exception as exc:  # noqa: BLE001  litellm raises whatever its providers do
        if litellm is not None:
            exc = litellm_answers.mapped(litellm, call.model, exc)
        problem = litellm_faults.translated(exc)
    finally:
        if answer is not None:
            await answer.aclose()
    if problem is not None:
        # Outside the handler, so that nothing of the provider's hangs on it.
        raise problem


async def _read(
    litellm: Any, call: Call, answer: Any, response: httpx.Response | None
) -> AsyncGenerator[ProviderEvent]:
    read: Chunks | Deltas = Chunks(mock=call.mock) if response is None else Deltas()
    async with aclosing(read.read(response or answer)) as events:
        async for event in events:
            yield event
    for tool_call in read.calls:
        yield tool_call
    ending = await litellm_answers.ending(litellm, call.model, call.messages, read)
    free = call.mock or call.loopback
    yield replace(ending, cost=Decimal(0)) if free else ending


def load() -> Any:
    """Import litellm, which takes seconds: never on an event loop's thread."""
    global _litellm  # noqa: PLW0603
    with _lock, warnings.catch_warnings():
        if _litellm is None:
            # Its own and pydantic's warnings are no news to a site's operator.
            warnings.simplefilter("ignore")
            for name, value in ENVIRONMENT.items():
                os.environ.setdefault(name, value)
            import litellm

            from polly_htmx.llm import sessions

            for name, value in SWITCHES.items():
                setattr(litellm, name, value)
            _warm_up(litellm)
            sessions.share(litellm)
            redaction.guard()
            # Some 300,000 objects that stay: looked through for garbage they would hold
            # up everybody for a fifth of a second each time.
            gc.freeze()
            _litellm = litellm
        return _litellm


def count_tokens(model: str, texts: Sequence[str]) -> list[int]:
    """Return about how many tokens a model makes of each text: not on a loop."""
    litellm = load()
    counts = [litellm.token_counter(model=model, text=text) for text in texts]
    # By a tokenizer that is often another one than the model's own.
    return [math.ceil(count * MARGIN) for count in counts]


def takes_schema(model: str) -> bool:
    """Return whether a model is known to keep to a JSON Schema: not on a loop."""
    return bool(load().supports_response_schema(model=model))


def _warm_up(litellm: Any) -> None:
    # What is built and imported at the first call would hold the event loop for a
    # third of a second each: models of pydantic, and the openai client's parts.
    import openai

    asked = [{"role": "user", "content": "Hi"}]
    list(
        litellm.completion(
            model="openai/dummy", messages=asked, mock_response="Hi", stream=True
        )
    )
    _ = openai.AsyncOpenAI(api_key=NO_KEY).chat.completions.with_raw_response.create


def _arguments(call: Call) -> dict[str, Any]:
    key = call.api_key or (NO_KEY if call.api_base else None)
    arguments: dict[str, Any] = {
        "drop_params": True,  # what a model doesn't know shall not stop it
        **call.params,
        "model": call.model,
        "messages": call.messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        "timeout": call.timeout,
        "max_retries": 0,
        "num_retries": 0,
        "api_base": call.api_base,
        "api_key": key,
    }
    if call.loopback:
        arguments["client"] = _loopback_client(str(call.api_base), str(key))
    return arguments


def _loopback_client(api_base: str, api_key: str) -> Any:
    # The others obey HTTP_PROXY even for 127.0.0.1.
    import openai

    from polly_htmx.llm import sessions

    key = (api_base, api_key)
    if key not in _loopback_clients:
        _loopback_clients[key] = openai.AsyncOpenAI(
            api_key=api_key,
            base_url=api_base,
            max_retries=0,
            http_client=sessions.Session(verify=False, through_proxies=False),
        )
    return _loopback_clients[key]
