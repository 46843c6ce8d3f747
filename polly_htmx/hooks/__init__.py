"""Hooks: a site's own say over messages before they are stored, and over answers
before they are shown."""

from __future__ import annotations

from polly_htmx.hooks.base import Hook, Veto
from polly_htmx.hooks.chain import apass_message, hears_messages, pass_message
from polly_htmx.hooks.gate import AnswerGate
from polly_htmx.hooks.summaries import summariser

__all__ = [
    "AnswerGate",
    "Hook",
    "Veto",
    "apass_message",
    "hears_messages",
    "pass_message",
    "summariser",
]
