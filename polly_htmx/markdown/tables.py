"""Tables: alignment by class, since a page with a strict CSP has no inline styles."""

from __future__ import annotations

from markdown_it.rules_core import StateCore


def align_by_class(state: StateCore) -> None:
    """Replace the styles that the parser gives to cells; a rule for the parser."""
    for token in state.tokens:
        if token.type in {"td_open", "th_open"} and "style" in token.attrs:
            side = str(token.attrs.pop("style")).removeprefix("text-align:")
            token.attrJoin("class", f"polly-align-{side}")
