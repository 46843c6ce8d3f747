"""Helpers for the tests of sites: a model that says what it is told to."""

from __future__ import annotations

from polly_htmx.llm import ScriptedInvoker
from polly_htmx.testing.replies import run_replies
from polly_htmx.testing.scripts import Script, scripted_model
from polly_htmx.testing.texts import HOSTILE_HTML, UNCLOSED_FENCE

__all__ = [
    "HOSTILE_HTML",
    "UNCLOSED_FENCE",
    "Script",
    "ScriptedInvoker",
    "run_replies",
    "scripted_model",
]
