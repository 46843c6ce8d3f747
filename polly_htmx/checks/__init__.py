"""System checks: what can't work (polly.E...) and what will hurt (polly.W...).

Importing this registers them. They load no model and no litellm, so that every
command stays quick; ``manage.py check --tag polly`` runs them alone.
"""

from __future__ import annotations

from polly_htmx.checks import (
    apps,
    consumer,
    database,
    hooks,
    keys,
    models,
    safety,
    site,
)

__all__ = [
    "apps",
    "consumer",
    "database",
    "hooks",
    "keys",
    "models",
    "safety",
    "site",
]
