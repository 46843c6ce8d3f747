"""
What reading a model's stream costs: CPU a chunk, first token, and many at once.

The provider runs in a process of its own, so that only the client's CPU counts. Each
chunk carries one token and comes alone, as those of hosted models do.

Run it with: python benchmarks/llm.py [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
RATE = 1_000
"""Tokens a second: fast, so that a run is short, but one by one."""
STREAMS = 200
WIDTHS = 10, 11, 11, 9
KEY = "sk-benchmark-0123456789"
PLENTY = {"FIRST_TOKEN_TIMEOUT": 600, "GAP_TIMEOUT": 600, "MAX_ANSWER_CHARS": 10**7}

Way = Callable[[str], AsyncGenerator[str]]


def ways(url: str) -> dict[str, Way]:
    """Return all ways to read a stream, by name."""
    models = {
        "openai/": ("openai/mock", url),
        "hosted_vllm/": ("hosted_vllm/mock", url),
        "anthropic/": ("anthropic/claude-haiku-4-5", url.removesuffix("/v1")),
    }
    found = {"raw stream, by hand": by_hand(url), "OpenAI SDK": by_sdk(url)}
    for name, (model, base) in models.items():
        found[f"litellm, {name}"] = by_litellm(model, base)
        found[f"LLMInvoker, {name}"] = by_invoker(model, base)
    return found


def by_hand(url: str) -> Way:
    """Read the lines of the stream, and nothing more."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=STREAMS)
    client = httpx.AsyncClient(trust_env=False, timeout=600, limits=limits)

    async def read(text: str) -> AsyncGenerator[str]:
        asked = {"model": "mock", "messages": _asked(text), "stream": True}
        address = f"{url}/chat/completions"
        async with client.stream("POST", address, json=asked) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data: {"):
                    choices = json.loads(line[6:])["choices"]
                    if choices and (content := choices[0]["delta"].get("content")):
                        yield content

    return read


def by_sdk(url: str) -> Way:
    """Read by the client that most providers advise."""
    import openai  # noqa: PLC0415 - loaded by now

    sdk = openai.AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0)

    async def read(text: str) -> AsyncGenerator[str]:
        answer = await sdk.chat.completions.create(
            model="mock",
            messages=_asked(text),
            stream=True,
            stream_options={"include_usage": True},
        )
        async for chunk in answer:
            if chunk.choices and (content := chunk.choices[0].delta.content):
                yield content

    return read


def by_litellm(model: str, base: str) -> Way:
    """Read litellm as it comes."""
    import litellm  # noqa: PLC0415 - loaded by now

    async def read(text: str) -> AsyncGenerator[str]:
        answer = await litellm.acompletion(
            model=model,
            messages=_asked(text),
            api_base=base,
            api_key=KEY,
            stream=True,
            stream_options={"include_usage": True},
        )
        async for chunk in answer:
            if chunk.choices and (content := chunk.choices[0].delta.content):
                yield content

    return read


def by_invoker(model: str, base: str) -> Way:
    """Read as the chat does."""
    from polly_htmx.llm import LLMConnect, ModelEntry  # noqa: PLC0415 - after setup()

    given = {"model": model, "api_base": base, "api_key": KEY}
    entry = ModelEntry.from_setting("MOCK", given)
    return lambda text: LLMConnect(entry).invoker().astream_message(text)


def _asked(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


async def whole(way: Way, tokens: int, rate: int = RATE) -> float:
    """Read an answer; return the seconds to its first piece."""
    from benchmarks.streaming.texts import Asked  # noqa: PLC0415 - after the path

    asked = Asked(tokens=tokens, rate=rate, kind="paragraph")
    started, first, count = time.perf_counter(), 0.0, 0
    async with aclosing(way(asked.message)) as pieces:
        async for _piece in pieces:
            first = first or time.perf_counter() - started
            count += 1
    assert count >= tokens, f"{count} of {tokens} tokens"
    return first


async def cost(way: Way, tokens: int) -> float:
    """Return the milliseconds of CPU that 1,000 chunks take."""
    started = time.process_time()
    await whole(way, tokens)
    await asyncio.sleep(0.2)  # for what is done behind the scenes
    return (time.process_time() - started) * 1_000 / tokens * 1_000


async def first(way: Way, rounds: int) -> float:
    """Return the milliseconds to the first token, at the median."""
    times = [await whole(way, 20) for _ in range(rounds)]
    return statistics.median(times) * 1_000


async def stall(way: Way, seconds: int) -> tuple[float, float]:
    """Return the longest that many streams hold the loop, in milliseconds.

    By the CPU that this thread has used without a turn for others, which is ours
    alone, and by the clock, where whatever else the machine does counts as well.
    """
    busy, waited = 0.0, 0.0

    async def tick() -> None:
        nonlocal busy, waited
        while True:
            used, before = time.thread_time(), time.perf_counter()
            await asyncio.sleep(0.001)
            busy = max(busy, time.thread_time() - used)
            waited = max(waited, time.perf_counter() - before - 0.001)

    async def one(number: int) -> None:
        await asyncio.sleep(number / STREAMS)
        await whole(way, 10 * seconds, rate=10)

    async with asyncio.TaskGroup() as group:
        ticker = group.create_task(tick())
        await asyncio.gather(*(one(number) for number in range(STREAMS)))
        ticker.cancel()
    return busy * 1_000, waited * 1_000


async def measure(url: str, *, quick: bool) -> None:
    """Take all figures in one run, and print them."""
    tokens, rounds = (500, 10) if quick else (3_000, 40)
    print(f"{'':<28}{'CPU, ms':>10}{'first, ms':>11}{'200: CPU':>11}{'clock':>9}")
    for name, way in ways(url).items():
        await whole(way, 50)
        row = [await cost(way, tokens), await first(way, rounds)]
        if name.startswith("LLMInvoker, openai") or "raw" in name:
            row += await stall(way, 2 if quick else 5)
        cells = "".join(f"{x:>{w}.1f}" for x, w in zip(row, WIDTHS, strict=False))
        print(f"{name:<28}{cells}", flush=True)
    print(
        "CPU: of 1,000 chunks. 200: the longest stall of the loop with as many streams"
    )
    print("at once, in ms of this thread's own work, and by the clock.")
    print("target: LLMInvoker, openai/ takes at most 0.35 of litellm's CPU and no more")
    print("than the SDK; the others no more than litellm; first token under 3 ms over")
    print("the raw stream's; no stall over 50 ms of CPU")


def main() -> None:
    """Start the provider and measure."""
    parser = argparse.ArgumentParser(description="What reading a stream costs.")
    parser.add_argument("--quick", action="store_true", help="a small run of each")
    given = parser.parse_args()
    import django  # noqa: PLC0415 - after the path
    from django.test import override_settings  # noqa: PLC0415 - after the path

    django.setup()
    from polly_htmx.llm import litellm_port  # noqa: PLC0415 - after setup()
    from tests.ports import free_port  # noqa: PLC0415 - after setup()

    litellm_port.load()
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.streaming.provider", str(port)]
    with (
        override_settings(POLLY=PLENTY),
        subprocess.Popen(command, cwd=ROOT) as provider,
    ):
        try:
            _until_ready(port)
            url = f"http://127.0.0.1:{port}/v1"
            asyncio.run(measure(url, quick=given.quick))
        finally:
            provider.kill()


def _until_ready(port: int) -> None:
    transport = httpx.HTTPTransport(retries=8)
    with httpx.Client(transport=transport, trust_env=False) as client:
        client.get(f"http://127.0.0.1:{port}/")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    # Else a proxy would be asked for an address of this very machine.
    os.environ["NO_PROXY"] = "127.0.0.1"
    main()
