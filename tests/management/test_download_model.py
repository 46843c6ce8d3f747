"""download_model: what operators read, and how it ends."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from polly_htmx.llm.catalogue import OFFERS
from tests import hub
from tests.patience import PATIENCE
from tests.programs import ROOT

DATA = b"GGUF" + b"weights " * 100_000
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def models(settings: Settings, tmp_path: Path) -> Path:
    settings.POLLY = {"AI_MODELS_PATH": tmp_path}
    return tmp_path


@pytest.fixture
def server(models: Path) -> Iterator[hub.Hub]:
    with hub.Hub(hub.whole(DATA)) as server:
        yield server


class Screen(io.StringIO):
    """What a terminal would have been told."""

    def isatty(self) -> bool:
        """Return that it is one."""
        return True


def said(*arguments: str, out: io.StringIO | None = None) -> str:
    out = out or io.StringIO()
    call_command("download_model", *arguments, stdout=out)
    return out.getvalue()


def test_file_of_a_url_is_fetched_and_its_checksum_told(
    server: hub.Hub, models: Path
) -> None:
    text = said("m.gguf", server.url, "--insecure-http")
    assert (models / "m.gguf").read_bytes() == DATA
    assert "100 % of 800 kB" in text
    assert f"compared with nothing: {SHA}" in text
    text = said("m.gguf", server.url, "--insecure-http", "--sha256", SHA)
    assert "It was there already" in text
    assert f"as it should be: {SHA}" in text


def test_bar_is_drawn_on_a_terminal(server: hub.Hub) -> None:
    text = said("m.gguf", server.url, "--insecure-http", out=Screen())
    assert f"\r[{'#' * 30}] 100 %" in text


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "Give the name of a model"),
        (["gpt"], "smollm2-360m"),
        (["m.gguf", "http://127.0.0.1:1/m"], "--insecure-http"),
        (["m", "https://127.0.0.1:1/m"], "no name"),
        (["m.gguf", "https://127.0.0.1:1/m", "--sha256", "12"], "64 hexadecimal"),
        (["m.gguf", "https://127.0.0.1:1/m"], "ConnectError"),
        (["--remove", "m.gguf"], "There is no m.gguf"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(
    models: Path, arguments: list[str], reason: str
) -> None:
    with pytest.raises(CommandError, match=reason):
        said(*arguments)


def test_wrong_checksum_is_told(server: hub.Hub, models: Path) -> None:
    with pytest.raises(CommandError, match="SHA-256"):
        said("m.gguf", server.url, "--insecure-http", "--sha256", "0" * 64)
    assert list(models.iterdir()) == []


def test_list_tells_what_can_be_fetched_and_what_is_there(models: Path) -> None:
    (models / "m.gguf").write_bytes(DATA)
    (models / "n.gguf.part").write_bytes(DATA)
    text = said("--list")
    assert all(name in text for name in OFFERS)
    assert "Apache-2.0; checksum checked" in text
    assert "800 kB  m.gguf\n" in text
    assert "n.gguf.part  (not whole yet)" in text


def test_file_is_removed(models: Path) -> None:
    (models / "m.gguf").write_bytes(DATA)
    assert "Removed m.gguf." in said("--remove", "m.gguf")
    assert "none" in said("--list")


@pytest.mark.live
def test_download_that_ctrl_c_stopped_goes_on(server: hub.Hub, models: Path) -> None:
    until = threading.Event()
    server.answer = hub.stalled(DATA, 300_000, until)
    polly = {"AI_MODELS_PATH": str(models)}
    command = [sys.executable, "-u", "-m", "django", "download_model", "m.gguf"]
    process = subprocess.Popen(
        [*command, server.url, "--insecure-http"],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "POLLY_TEST_SETTINGS": json.dumps(polly),
            "NO_PROXY": "127.0.0.1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    part = models / "m.gguf.part"
    while not (part.exists() and part.stat().st_size):
        assert process.poll() is None
        time.sleep(0.05)  # Nothing to wait on: the file grows when it grows.
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=PATIENCE)
    until.set()
    assert process.returncode == 130
    assert "run the same command to go on" in err
    assert "Traceback" not in err
    server.answer = hub.whole(DATA)
    said("m.gguf", server.url, "--insecure-http", "--sha256", SHA)
    assert "range" in server.asked[-1]
    assert (models / "m.gguf").read_bytes() == DATA
