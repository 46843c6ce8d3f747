"""Tests of polly_htmx, and the small host site that they run in."""

from __future__ import annotations
