"""
First token of the embedded model at a WebSocket client, against the engine's own stream.

A daphne process serves the tests' site and runs the engine; this process is the client
of both. Between them stands LLMInvoker, asking the same engine from here.

Run it with: python -m benchmarks.first_token [rounds]
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import django
import httpx
from websockets.asyncio.client import ClientConnection, connect

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 20
WARM_UP = 3
TARGET = 80
TOKENS = 16
"""An answer's length: the next round begins when this one is over."""
PATIENCE = 60

# Each question is another, so that no cached prompt answers it.
_numbers = count(1)

Way = Callable[[str], Awaitable[float]]


async def main(rounds: int) -> None:
    """Measure all in turn, so that a busy moment of the machine hits each."""
    with tempfile.TemporaryDirectory(prefix="polly-bench-") as folder:
        make_site(folder)
        with daphne() as address:
            engine = await asyncio.to_thread(engine_of, address)
            await compare(engine, address, rounds)


def engine_of(address: str) -> dict[str, str]:
    """Return the address and the key of the server's engine."""
    with urllib.request.urlopen(f"{address}/engine/") as answer:
        told: dict[str, str] = json.load(answer)
    return told


async def compare(engine: dict[str, str], address: str, rounds: int) -> None:
    """Take the times of all ways, and print them."""
    headers = {"Authorization": f"Bearer {engine['api_key']}"}
    async with httpx.AsyncClient(
        base_url=engine["api_base"], headers=headers, trust_env=False, timeout=PATIENCE
    ) as client:
        ways: dict[str, Way] = {
            "engine's own HTTP stream": lambda text: of_engine(client, text),
            "LLMInvoker": lambda text: of_invoker(engine, text),
            "whole stack, WebSocket": lambda text: of_site(address, text),
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(WARM_UP + rounds):
            for name, way in ways.items():
                text = f"Question {next(_numbers)}: what do parrots eat?"
                seconds = await way(text)
                if turn >= WARM_UP:
                    times[name].append(seconds)
    report(times)


def params() -> dict[str, Any]:
    """Return what each way sends with its question."""
    from polly_htmx.llm import LLMModelType  # noqa: PLC0415 - after setup()

    return {**LLMModelType.SMOLLM2_135M_INSTRUCT.params, "max_tokens": TOKENS}


async def of_engine(client: httpx.AsyncClient, text: str) -> float:
    """Return the seconds to the first piece without anything between."""
    messages = [{"role": "user", "content": text}]
    asked = {"messages": messages, "stream": True, **params()}
    started = time.perf_counter()
    async with client.stream("POST", "/chat/completions", json=asked) as answer:
        return await first_of(_contents(answer), started)


async def _contents(answer: httpx.Response) -> AsyncIterator[str]:
    async for line in answer.aiter_lines():
        if line.startswith("data: {"):
            choices = json.loads(line[6:])["choices"]
            if choices and (content := choices[0]["delta"].get("content")):
                yield content


async def of_invoker(engine: dict[str, str], text: str) -> float:
    """Return the seconds to the first piece through LLMInvoker."""
    from polly_htmx.llm import LLMConnect, ModelEntry  # noqa: PLC0415 - after setup()

    entry = {**engine, "model": "openai/smollm2", "params": params()}
    invoker = LLMConnect(ModelEntry.from_setting("ENGINE", entry)).invoker()
    started = time.perf_counter()
    async with aclosing(invoker.astream_message(text)) as pieces:
        return await first_of(pieces, started)


async def first_of(pieces: AsyncIterator[str], started: float) -> float:
    """Return the seconds until the first piece, once the last has come."""
    await anext(pieces)
    seconds = time.perf_counter() - started
    async for _piece in pieces:
        pass
    return seconds


async def of_site(address: str, text: str) -> float:
    """Return the seconds from a message to the first words of its answer."""
    frame = json.dumps({"message": text, "nonce": f"n{time.time_ns()}", "HEADERS": {}})
    async with asyncio.timeout(PATIENCE), chat(address) as socket:
        started = time.perf_counter()
        await socket.send(frame)
        await until(socket, "streaming")
        seconds = time.perf_counter() - started
        await until(socket, "complete")
    return seconds


async def until(socket: ClientConnection, status: str) -> None:
    """Return at the first frame that shows the reply with this status."""
    frame = ""
    # The frame of the turn holds the question too; this one is the reply alone, and
    # a streaming reply is sent with its first words.
    while not (frame.startswith("<article") and f'data-status="{status}"' in frame):
        frame = str(await socket.recv())


@asynccontextmanager
async def chat(address: str) -> AsyncIterator[ClientConnection]:
    """Open the socket of a new conversation."""
    path, cookie = await asyncio.to_thread(new_chat)
    async with connect(
        f"{address.replace('http', 'ws', 1)}{path}",
        origin=address,  # type: ignore[arg-type]
        additional_headers={"Cookie": cookie},
        proxy=None,
    ) as socket:
        yield socket


def new_chat() -> tuple[str, str]:
    """Make a conversation; return the path of its socket and its owner's cookie."""
    from django.conf import settings  # noqa: PLC0415 - after setup()
    from django.contrib.auth import get_user_model  # noqa: PLC0415 - after setup()
    from django.test import Client  # noqa: PLC0415 - after setup()

    from polly_htmx.models import Parrot, SmartConversation  # noqa: PLC0415

    user, _made = get_user_model().objects.get_or_create(username="someone")
    parrot, _made = Parrot.objects.get_or_create(
        name="Polly",
        defaults={
            "model": "SMOLLM2_135M_INSTRUCT",
            "parameters": {"max_tokens": TOKENS},
        },
    )
    key = SmartConversation.objects.create(user=user, parrot=parrot).external_id
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return f"/polly/ws/smart-gpt/{key}/", f"{name}={client.cookies[name].value}"


def make_site(folder: str) -> None:
    """Set Django up on a database of its own, for this process and the server."""
    from django.core.management import call_command  # noqa: PLC0415 - after setup()

    polly = {"DEFAULT_MODEL": "SMOLLM2_135M_INSTRUCT", "MESSAGES_PER_MINUTE": 10_000}
    os.environ["POLLY_TEST_SETTINGS"] = json.dumps(polly)
    os.environ["POLLY_TEST_SQLITE"] = str(Path(folder, "db.sqlite3"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    # Else a proxy would be asked for an address of this very machine.
    os.environ["NO_PROXY"] = "127.0.0.1"
    # The setting up below happens on the loop's thread, before anybody is served.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    django.setup()
    call_command("migrate", verbosity=0)


@contextmanager
def daphne() -> Iterator[str]:
    """Serve the site and its engine by a process of its own; yield the address."""
    from tests.live import free_port, wait_for_http  # noqa: PLC0415 - after setup()

    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "daphne", "--port", str(port), "--verbosity", "0"]
    server = subprocess.Popen([*command, "benchmarks._asgi:application"], cwd=ROOT)
    try:
        wait_for_http(f"{address}/engine/", server)
        yield address
    finally:
        server.kill()
        server.wait()


def report(times: dict[str, list[float]]) -> None:
    """Print a table, and what each way adds to the engine's own."""
    print(f"{'first token, ms':<28}{'median':>9}{'least':>9}{'most':>9}{'added':>9}")
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    least = next(iter(medians.values()))
    for name, seconds in times.items():
        figures = (medians[name], min(seconds), max(seconds), medians[name] - least)
        print(f"{name:<28}" + "".join(f"{figure * 1000:>9.1f}" for figure in figures))
    print(f"target: the whole stack adds under {TARGET} ms at the median")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
