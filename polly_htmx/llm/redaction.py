"""Keeps keys out of the logs of the libraries that talk to providers."""

from __future__ import annotations

import logging
import os

MASK = "[key]"

LIBRARIES = (
    "LiteLLM",
    "litellm",
    "openai",
    "httpx",
    "httpcore",
    "aiohttp",
    "anthropic",
)
"""Names under which these libraries log."""

SHORTEST = 8
"""Shorter keys are placeholders; masking them would garble every line."""

_keys: set[str] = set()


def remember(key: str | None) -> None:
    """Mask this key from now on."""
    if key and len(key) >= SHORTEST:
        _keys.add(key)


def guard() -> None:
    """Put the filter on all loggers of the libraries that exist by now."""
    # litellm takes keys from the environment by itself, too.
    for name, value in os.environ.items():
        if name.endswith("_API_KEY"):
            remember(value)
    # A filter of a logger doesn't see its children's records, so each has its own.
    for name in list(logging.root.manager.loggerDict):
        if name.startswith(LIBRARIES):
            logger = logging.getLogger(name)
            if _filter not in logger.filters:
                logger.addFilter(_filter)
        if name.startswith("LiteLLM"):
            # Its own handlers write to stderr, past the site's settings.
            logger.handlers.clear()


class _MaskKeys(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info:
            # A provider's own words: they may echo the key, or be markup.
            record.exc_info, record.exc_text = None, None
        text = record.getMessage()
        masked = text
        for key in _keys:
            masked = masked.replace(key, MASK)
        if masked != text:
            record.msg, record.args = masked, None
        return True


_filter = _MaskKeys()
