"""The engine itself, with the real model."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from polly_htmx.llm import LLMConnect, LLMModelType, exceptions, files, local

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
    with urllib.request.urlopen(request, timeout=5) as answer:
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
    assert len(fetch(engine, "/slots", engine.api_key)) == local.SLOTS
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
    assert time.monotonic() - started < 2  # 2,000 tokens take ten times as long.


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
