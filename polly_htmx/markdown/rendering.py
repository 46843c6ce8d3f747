"""The way of a text through the renderer, and what is shown if it fails."""

from __future__ import annotations

import logging

from django.utils.html import format_html
from django.utils.safestring import SafeString

from polly_htmx.markdown.formulas import with_formulas
from polly_htmx.markdown.limits import TooCostly, check_cost
from polly_htmx.markdown.losses import hidden_texts, loses_text
from polly_htmx.markdown.parser import Block, parse
from polly_htmx.markdown.parts import gathered
from polly_htmx.markdown.renderer import to_html
from polly_htmx.markdown.sanitiser import sanitise
from polly_htmx.markdown.text import clean_text, legible

logger = logging.getLogger(__name__)


def render(text: str) -> SafeString:
    """
    Return safe HTML of a Markdown text: the same for the same text and settings.

    Never raises, and never loses text. Where Markdown cannot be had, because the
    renderer fails, drops something or would work too long, there stands the
    source, escaped; for one block of the text if that is enough.
    """
    source = legible(clean_text(text))
    try:
        check_cost(source)
        blocks = parse(source)
    except TooCostly:
        return plain(source)
    except Exception as error:  # noqa: BLE001 - a text must be shown whatever is in it
        report(error)
        return plain(source)
    return gathered(render_block(block) for block in blocks)


def render_block(block: Block) -> SafeString:
    """Return safe HTML of one block of a text, by the same promises."""
    try:
        html = sanitise(to_html(block.tokens)) if block.tokens else SafeString()
        hidden = [*block.definitions, *hidden_texts(block.tokens)]
        lost = loses_text(block.source, html, hidden)
        html = with_formulas(html)
    except TooCostly:
        lost = True
    except Exception as error:  # noqa: BLE001 - see above
        report(error)
        lost = True
    return plain(block.source) if lost else html


def plain(text: str) -> SafeString:
    """Return the text as it was written, in one paragraph."""
    if not text.strip():
        return SafeString()
    return format_html('<p class="polly-plain">{}</p>\n', text.strip("\n"))


def report(error: Exception) -> None:
    """Log that a text could not be rendered."""
    # Neither the text nor the error's own words, which may quote it.
    logger.error("Markdown was shown as plain text: %s", type(error).__name__)
