"""Stops at any moment harm nobody else: each answer is its own, and nothing is left."""

from __future__ import annotations

import asyncio
import threading
from random import Random

from tests.fake_provider import Exchange, FakeProvider
from tests.llm.conftest import Invoke

STREAMS = 200
"""At once: half of them are stopped."""
WORDS = 12

may_end = threading.Event()
"""Lets the answers come to their ends: whom a test stops has not ended by himself."""


async def repeats_the_question(exchange: Exchange) -> None:
    """Say what was asked, a number of times, with a pause after each."""
    question = exchange.body["messages"][-1]["content"]
    await exchange.head()
    for _ in range(WORDS):
        await exchange.delta(content=f"{question} ")
        await asyncio.sleep(0.01)
    while not may_end.is_set():  # noqa: ASYNC110  (set on another loop)
        await asyncio.sleep(0.05)
    await exchange.delta(finish="stop")
    await exchange.done()


async def test_stops_at_any_moment_mix_up_no_answers(
    invoke: Invoke, provider: FakeProvider
) -> None:
    provider.scripts["good"] = repeats_the_question
    may_end.set()
    await invoke("good").asend_message("to load all that is loaded once")
    may_end.clear()
    random = Random(7)
    invokers = [invoke("good") for _ in range(STREAMS)]
    tasks = [
        asyncio.create_task(invoker.asend_message(f"canary-{number}-"))
        for number, invoker in enumerate(invokers)
    ]
    stopped = set(random.sample(range(STREAMS), STREAMS // 2))
    for number in stopped:
        await asyncio.sleep(random.choice([0, 0, 0.001, 0.01]))
        tasks[number].cancel()
    may_end.set()
    await asyncio.wait(tasks)
    for number, (task, invoker) in enumerate(zip(tasks, invokers, strict=True)):
        own = f"canary-{number}- "
        if task.cancelled():
            assert invoker.reply.text == own * invoker.reply.text.count("canary")
            assert invoker.history == []
        else:
            assert task.result().text == own * WORDS
    assert {n for n, task in enumerate(tasks) if task.cancelled()} == stopped
    await _all_closed(provider)
    assert (await invoke("good").asend_message("after")).text == "after " * WORDS


async def _all_closed(provider: FakeProvider) -> None:
    async with asyncio.timeout(60):
        for exchange in provider.exchanges:
            await asyncio.to_thread(exchange.closed.wait)
