"""Tests of polly_htmx.markdown."""

from __future__ import annotations
