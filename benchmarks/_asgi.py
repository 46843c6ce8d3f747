"""The tests' site, which also tells a benchmark how to reach its embedded engine."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from polly_htmx.llm import LLMModelType, local
from tests.asgi import application as site

TELL = "/engine/"


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answer one more address; only for a server that nobody else can reach."""
    if scope["type"] != "http" or scope["path"] != TELL:
        await site(scope, receive, send)
        return
    file = str(LLMModelType.SMOLLM2_135M_INSTRUCT.file)
    engine = await asyncio.to_thread(local.serve, file)
    told = {"api_base": engine.api_base, "api_key": engine.api_key}
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})
