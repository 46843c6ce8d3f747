"""Images from places that the site does not trust become links."""

from __future__ import annotations

from collections.abc import Iterator

from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from polly_htmx.markdown.links import is_image_allowed


def replace_foreign(state: StateCore) -> None:
    """Replace each image that would load from elsewhere; a rule for the parser."""
    for token in state.tokens:
        if token.children and any(c.type == "image" for c in token.children):
            token.children = list(_replaced(token.children, state))


def _replaced(tokens: list[Token], state: StateCore) -> Iterator[Token]:
    """Yield the tokens with links, or inside a link text, for foreign images."""
    in_link = 0
    for token in tokens:
        in_link += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if token.type != "image" or is_image_allowed(_source(token)):
            yield token
        elif in_link:
            yield _text(token, state)
        else:
            yield from _link(token, state)


def _link(image: Token, state: StateCore) -> Iterator[Token]:
    """Yield a link that shows the image's text and leads to where it lies."""
    title = image.attrs.get("title")
    attrs = {"href": _source(image)} | ({"title": title} if title else {})
    yield Token("link_open", "a", 1, attrs=attrs, meta=image.meta)
    yield _text(image, state)
    yield Token("link_close", "a", -1)


def _text(image: Token, state: StateCore) -> Token:
    """Return the image's text, or its address if it has none."""
    # Only the HTML renderer knows how to flatten the markup inside the text.
    assert isinstance(state.md.renderer, RendererHTML)  # noqa: S101 - for mypy
    shown = state.md.renderer.renderInlineAsText(
        image.children, state.md.options, state.env
    )
    # What is not shown stays known, so that nobody takes it for lost.
    meta = {
        "hidden": [_source(image), str(image.attrs.get("title", "")), *_label(image)]
    }
    return Token("text", "", 0, content=shown.strip() or _source(image), meta=meta)


def _label(image: Token) -> list[str]:
    return [image.meta["label"]] if "label" in image.meta else []


def _source(image: Token) -> str:
    return str(image.attrs.get("src", ""))
