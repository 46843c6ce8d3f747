"""Statements: what runs with each message, in SQL of our own where Django's takes long."""

from __future__ import annotations

from polly_htmx.statements.rows import Rows, RowsQuerySet
from polly_htmx.statements.words import Plus

__all__ = ["Plus", "Rows", "RowsQuerySet"]
