"""Characters: what may be stored, and what may be shown."""

from __future__ import annotations

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LINE_ENDS = re.compile(r"\r\n?")

# Control characters besides tab and line feed have no place in a page. Explicit
# bidi embeddings, overrides and isolates can make text read as something else
# than it is, most of all in code, and unbalanced ones leak into their
# surroundings; the harmless direction marks stay, and templates isolate each
# message by dir="auto". Both are replaced by a character that can be seen.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# Tag characters are invisible and can carry hidden text to a model that reads
# the copy. They are taken out; of the flags made with them the black flag stays.
_TAG_CHARACTERS = re.compile("[\U000e0000-\U000e007f]")


def clean_text(text: str) -> str:
    """
    Return the text as it may be stored in any database and sent as UTF-8.

    NUL and lone surrogates become U+FFFD, all line ends become line feeds.
    """
    return _LINE_ENDS.sub("\n", _UNSTORABLE.sub(REPLACEMENT, text))


def legible(text: str) -> str:
    """
    Return the text without characters that deceive the reader.

    Works on HTML as well: it neither makes nor removes characters of markup.
    """
    return _TAG_CHARACTERS.sub("", _UNSHOWABLE.sub(REPLACEMENT, text))
