"""Vouch again for HTML that render() made, after a channel layer carried it."""

from __future__ import annotations

from django.utils.safestring import SafeString, mark_safe


def vouched(html: str) -> SafeString:
    """
    Return HTML as safe that this site's own runner rendered and sent over the layer.

    A channel layer carries plain text, so the mark that the text is safe gets lost on
    the way. Never call this with anything else: it looks at nothing.
    """
    return mark_safe(html)  # noqa: S308  (that is its one job)
