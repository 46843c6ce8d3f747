"""Tests of polly_htmx.llm."""

from __future__ import annotations
