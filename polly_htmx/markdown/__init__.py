"""Markdown from people and models to HTML that a page may show."""

from __future__ import annotations

from polly_htmx.markdown.change import Change
from polly_htmx.markdown.rendering import render
from polly_htmx.markdown.stream import MarkdownStream
from polly_htmx.markdown.text import clean_text
from polly_htmx.markdown.verbatim import VerbatimStream, verbatim
from polly_htmx.markdown.vouch import vouched

__all__ = [
    "Change",
    "MarkdownStream",
    "VerbatimStream",
    "clean_text",
    "render",
    "verbatim",
    "vouched",
]
