"""How long tests wait for what should come: a limit costs nothing when all goes well."""

from __future__ import annotations

PATIENCE = 60
"""Seconds. Much more than anything takes: a busy machine is no fault of the code."""
