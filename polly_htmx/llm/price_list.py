"""
The price list: litellm's table of models, read without importing litellm.

litellm takes seconds and 170 MB; its table is one file of JSON, read in some 40 ms when
a figure is first asked for. A model's page in the admin needs no more than that.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import threading
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from polly_htmx.llm.figures import Figures, Price, Takes

logger = logging.getLogger(__name__)

FILE = "model_prices_and_context_window_backup.json"
PROVIDERS = "provider_endpoints_support_backup.json"
KINDS = frozenset({"chat", "completion", "responses"})
"""Of all that the table has, what answers with a text."""

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""Values of reasoning_effort, from no thought to the longest."""

KEPT = frozenset(
    {
        "cache_read_input_token_cost",
        "input_cost_per_token",
        "litellm_provider",
        "max_input_tokens",
        "max_output_tokens",
        "max_tokens",
        "output_cost_per_token",
        "reasoning_effort_levels",
        "supports_function_calling",
        "supports_reasoning",
        "supports_sampling_params",
        "supports_system_messages",
        "supports_vision",
        *(f"supports_{effort}_reasoning_effort" for effort in EFFORTS),
    }
)
"""What we look at: a fifth of the table's memory."""

Row = Mapping[str, Any]

_lock = threading.Lock()
_rows: dict[str, Row] | None = None


def figures(model: str) -> Figures | None:
    """Return what the table knows of a litellm id, None where it has no such row."""
    row = _row(model)
    return None if row is None else _figures(model)


@lru_cache(maxsize=512)
def _figures(model: str) -> Figures:
    row = _row(model) or {}
    return Figures(
        context_window=row.get("max_input_tokens") or row.get("max_tokens"),
        max_output=row.get("max_output_tokens"),
        takes=Takes(
            # Most rows are silent about it; only some of the oldest models take none.
            system_prompt=row.get("supports_system_messages"),
            images=bool(row.get("supports_vision")),
            tools=bool(row.get("supports_function_calling")),
            reasoning=bool(row.get("supports_reasoning")),
        ),
        price=_price(row),
        samples=row.get("supports_sampling_params") is not False,
        efforts=_efforts(row),
    )


def _row(model: str) -> Row | None:
    """Return the row of an id, which many providers' models have without prefix."""
    rows = read()
    if (row := rows.get(model)) is not None:
        return row
    provider, _slash, short = model.partition("/")
    row = rows.get(short)
    owner = str(row.get("litellm_provider", "")) if row else ""
    # A server of the same name's model is another's: "mine/gpt-5" is not OpenAI's.
    return row if owner == provider or owner.startswith(f"{provider}-") else None


def _price(row: Row) -> Price | None:
    asked, answered = row.get("input_cost_per_token"), row.get("output_cost_per_token")
    if asked is None or answered is None:
        return None
    cached = row.get("cache_read_input_token_cost")
    return Price(
        input=Decimal(str(asked)),
        output=Decimal(str(answered)),
        cached_input=None if cached is None else Decimal(str(cached)),
    )


def _efforts(row: Row) -> frozenset[str] | None:
    if not row.get("supports_reasoning"):
        return None
    if told := row.get("reasoning_effort_levels"):
        return frozenset(told)
    return frozenset(
        effort
        for effort in EFFORTS
        if row.get(f"supports_{effort}_reasoning_effort") is not False
    )


def read() -> dict[str, Row]:
    """Return all rows by their ids; takes a moment the first time, on any thread."""
    global _rows  # noqa: PLW0603
    if _rows is None:
        with _lock:
            if _rows is None:
                _rows = _of_file()
    return _rows


async def aread() -> None:
    """Read the table where it has not been read, without holding up the loop."""
    if _rows is None:
        await asyncio.to_thread(read)


def providers() -> set[str]:
    """Return the prefixes of ids that litellm is known to know, as far as it tells."""
    found = {name.partition("/")[0] for name in read() if "/" in name}
    found |= {str(row.get("litellm_provider", "")) for row in read().values()}
    with suppress(KeyError, OSError, ValueError):
        found |= set(json.loads((_folder() / PROVIDERS).read_bytes())["providers"])
    return found - {""}


def _of_file() -> dict[str, Row]:
    try:
        path = _folder() / FILE
        table = json.loads(path.read_bytes())
    except (OSError, ValueError):
        # Then nothing is known of any model, and all can be used.
        logger.warning("litellm's table of models can't be read")
        return {}
    return {
        name: {key: value for key, value in row.items() if key in KEPT}
        for name, row in table.items()
        if row.get("mode") in KINDS
    }


def _folder() -> Path:
    spec = importlib.util.find_spec("litellm")
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise FileNotFoundError(FILE)
    return Path(folders[0])
