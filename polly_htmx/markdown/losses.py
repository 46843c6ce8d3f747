"""Whether HTML still holds what was written in its source."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import reduce
from html import unescape
from operator import or_
from urllib.parse import unquote

from markdown_it.common.normalize_url import normalizeLinkText
from markdown_it.token import Token

_TAG = re.compile(r'<(?:[^">]++|"[^"]*+")*+>')
# The sanitiser knows more about addresses than the parser, and takes out some.
_DEAD_LINK = re.compile(r"<a (?!href=)")
_ENTITY = re.compile(r"&#?\w+;")


def loses_text(source: str, html: str, hidden: Iterable[str]) -> bool:
    """
    Return whether letters or digits of the source are nowhere in the HTML.

    ``hidden`` are texts that Markdown rightly does not show, such as the
    destination of a link. Characters are counted, not words: emphasis inside a
    word takes it apart in the source and not in the page.
    """
    if _DEAD_LINK.search(html):
        return True
    # In code an entity stays as it is written, elsewhere it is a character.
    kept = _most_of(shown := visible_text(html), unescape(shown))
    kept.update("\n".join(hidden).casefold())
    wanted = _counted(_ENTITY.sub(lambda match: unescape(match[0]), source))
    return any(
        number > kept[character] and character.isalnum()
        for character, number in wanted.items()
    )


def visible_text(html: str) -> str:
    """Return the text between the tags of sanitised HTML."""
    return unescape(_TAG.sub("", html))


def hidden_texts(tokens: Iterable[Token]) -> Iterator[str]:
    """Yield what the tokens carry besides the text that they show."""
    for token in tokens:
        # The number of an item, which the page counts by itself.
        yield token.info if token.type == "list_item_open" else ""
        yield str(token.meta.get("label", ""))
        yield from token.meta.get("hidden", ())
        # Autolinks show their address already.
        if token.markup != "autolink":
            yield from _attributes(token)
        yield from hidden_texts(token.children or ())


def _attributes(token: Token) -> Iterator[str]:
    """Yield the texts of a link or an image, also as they were written."""
    yield str(token.attrs.get("title", ""))
    url = str(token.attrs.get("href") or token.attrs.get("src") or "")
    if url:
        # As it stands in the link, or as it was written.
        characters = _most_of(url, unquote(url), normalizeLinkText(url))
        yield "".join(characters.elements())
    if token.type == "image":
        yield token.content


def _most_of(*texts: str) -> Counter[str]:
    """Return each character as often as the text has it that has most of it."""
    return reduce(or_, map(_counted, texts))


def _counted(text: str) -> Counter[str]:
    # Labels and hosts are compared, and kept, without regard to case.
    return Counter(text.casefold())
