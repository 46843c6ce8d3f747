"""The engine itself, with the real model."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from pytest_django import Settings

from polly_htmx.conf import conf
from polly_htmx.llm import (
    BaseInvoker,
    Finished,
    LLMConnect,
    LLMModelType,
    Text,
    Waking,
    exceptions,
    files,
    local,
)
from tests.patience import PATIENCE

pytestmark = pytest.mark.alone

pytest.importorskip("xllamacpp")

FILE = str(LLMModelType.SMOLLM2_135M_INSTRUCT.file)


@pytest.fixture(scope="module")
def engine() -> local.Engine:
    return local.serve(FILE)


def fetch(engine: local.Engine, path: str, key: str) -> Any:
    address = engine.api_base.removesuffix("/v1") + path
    request = urllib.request.Request(
        address, headers={"Authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)


def busy(engine: local.Engine) -> int:
    """Return how many slots work at the moment."""
    slots = fetch(engine, "/slots", engine.api_key)
    return sum(slot["is_processing"] for slot in slots)


def until_idle(engine: local.Engine) -> None:
    """Wait until no slot works any more."""
    while busy(engine):
        time.sleep(0.01)


def test_engine_is_loaded_once_when_many_ask_at_once(engine: local.Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(local.serve, [FILE] * 16))
    assert all(one is engine for one in found)


def test_engine_listens_on_loopback_and_wants_its_key(engine: local.Engine) -> None:
    assert engine.api_base.startswith("http://127.0.0.1:")
    assert engine.api_key not in repr(engine)
    assert len(fetch(engine, "/slots", engine.api_key)) == conf.LOCAL_SLOTS
    with pytest.raises(urllib.error.HTTPError) as caught:
        fetch(engine, "/slots", "guessed")
    assert caught.value.code == 401
    caught.value.close()


def test_missing_file_is_not_configured() -> None:
    with pytest.raises(exceptions.NotConfigured, match="missing"):
        local.serve("no-such-model.gguf")


@pytest.mark.parametrize("content", [b"<html>", b"", b"GGUF", b"GGUF\x03\0\0\0broken"])
def test_broken_file_is_not_configured(
    settings: Settings,
    tmp_path: Path,
    content: bytes,
    capfd: pytest.CaptureFixture[str],
) -> None:
    settings.POLLY = {"AI_MODELS_PATH": tmp_path}
    (tmp_path / "m.gguf").write_bytes(content)
    with pytest.raises(exceptions.NotConfigured) as caught:
        local.serve("m.gguf")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "".join(capfd.readouterr()) == ""


async def test_embedded_model_answers() -> None:
    invoker = LLMConnect(
        "SMOLLM2_135M_INSTRUCT",
        system_prompt="You answer in one short sentence.",
        temperature=0,
        max_tokens=40,
    ).invoker()
    pieces = [
        piece
        async for piece in invoker.astream_message("What is the capital of France?")
    ]
    assert "Paris" in "".join(pieces)
    assert len(pieces) > 3
    assert invoker.reply is not None
    assert invoker.reply.finish_reason in {"stop", "length"}
    assert invoker.reply.usage is not None
    assert invoker.reply.usage.exact
    assert invoker.reply.cost == 0
    assert (await invoker.asend_message("And of Italy?")).text


def test_missing_engine_is_not_configured(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.POLLY = {"AI_MODELS_PATH": tmp_path}
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    # What the import system holds for a module that is not to be found.
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(exceptions.NotConfigured, match="not installed") as caught:
        local.serve("m.gguf")
    assert caught.value.__context__ is None


def test_one_core_stays_free_where_the_system_tells_no_affinity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert local._cores() == os.cpu_count()


async def test_slot_is_free_when_the_stream_is_closed(engine: local.Engine) -> None:
    # Without an end of its own: the small model may be done after a word or two.
    invoker = LLMConnect(
        "SMOLLM2_135M_INSTRUCT", max_tokens=2000, extra_body={"ignore_eos": True}
    ).invoker()
    stream = invoker.astream_message("Count from one to one thousand, in words.")
    await anext(stream)
    assert busy(engine) == 1
    started = time.monotonic()
    await stream.aclose()
    await asyncio.to_thread(until_idle, engine)
    assert time.monotonic() - started < 0.5  # 2,000 tokens take many seconds.


async def test_model_says_so_when_the_chat_is_too_long() -> None:
    invoker = LLMConnect("SMOLLM2_135M_INSTRUCT").invoker()
    with pytest.raises(exceptions.ContextTooLong):
        await invoker.asend_message("parrot " * 30_000)


def test_own_file_is_served_when_a_site_names_one(
    settings: Settings, tmp_path: Path
) -> None:
    source = files.find(FILE)
    assert source is not None
    (tmp_path / "mine.gguf").symlink_to(source)
    entry = {"file": "mine.gguf", "params": {"max_tokens": 4}}
    settings.POLLY = {"AI_MODELS_PATH": tmp_path, "MODELS": {"MINE": entry}}
    assert LLMConnect("MINE").invoker().send_message("Hi").text


def test_file_that_was_cut_short_is_told_and_harms_nobody(
    engine: local.Engine, settings: Settings, tmp_path: Path
) -> None:
    source = files.find(FILE)
    assert source is not None
    with source.open("rb") as stream:
        head = stream.read(8_000_000)
    for length in (1_000, 1_500_000, 8_000_000):
        (tmp_path / "cut.gguf").write_bytes(head[:length])
        settings.POLLY = {"AI_MODELS_PATH": tmp_path}
        with pytest.raises(exceptions.NotConfigured, match="cut short"):
            local.serve("cut.gguf")
    assert busy(engine) == 0


async def test_waking_comes_first_where_the_model_must_be_loaded(
    settings: Settings, tmp_path: Path
) -> None:
    source = files.find(FILE)
    assert source is not None
    # A copy: a link would lead to the engine that is loaded.
    (tmp_path / "sleepy.gguf").write_bytes(source.read_bytes())
    entry = {"file": "sleepy.gguf", "params": {"max_tokens": 2}}
    settings.POLLY = {
        "AI_MODELS_PATH": tmp_path,
        "MODELS": {"SLEEPY": entry},
        "LOCAL_IDLE_SECONDS": 2,
        "LOCAL_SLOTS": 2,
        "LOCAL_THREADS": 1,
        "LOCAL_CONTEXT": 1024,
    }
    invoker = LLMConnect("SLEEPY").invoker()
    assert await kinds(invoker) == [Waking, Text, Finished]
    assert await kinds(invoker) == [Text, Finished]
    engine = local.serve("sleepy.gguf")
    assert len(fetch(engine, "/slots", engine.api_key)) == 2
    loaded = psutil.Process().memory_info().rss
    await asyncio.to_thread(until_asleep, "sleepy.gguf")
    assert psutil.Process().memory_info().rss < loaded - 50_000_000
    assert await kinds(invoker) == [Waking, Text, Finished]


def until_asleep(file: str) -> None:
    """Wait until a model has given its memory back."""
    while local.is_awake(file):
        time.sleep(0.05)


async def kinds(invoker: BaseInvoker) -> list[type]:
    """Ask for a word, and return what kinds of events came, in order."""
    seen = [type(event) async for event in invoker.astream_events("Say hello.")]
    return list(dict.fromkeys(seen))


def test_model_that_is_loaded_waits_for_nobody(engine: local.Engine) -> None:
    key = local._key(FILE)
    assert key is not None
    # As while it loads; those who have an engine must not ask for that.
    with local._locks.setdefault(key, threading.Lock()):
        assert local.serve(FILE) is engine
