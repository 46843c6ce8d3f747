"""What the text before says about the text after: link definitions, code to colour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from markdown_it.token import Token

from polly_htmx.markdown.budget import spent_on
from polly_htmx.markdown.highlight import MAX_CHARS_OF_TEXT

# Of a definition that stands in no line of the text that is parsed now.
_ELSEWHERE = [-1, -1]


@dataclass(frozen=True, kw_only=True)
class Known:
    """What must be known of a text for its next block to be parsed by itself."""

    references: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The link definitions, by their label."""
    code_left: int = MAX_CHARS_OF_TEXT
    """How many characters of code may still be coloured."""

    def env(self) -> dict[str, Any]:
        """Return an environment for the parser, which writes into it."""
        return {"references": dict(self.references), "code_left": self.code_left}

    def after(self, env: dict[str, Any], line: int, tokens: Iterable[Token]) -> Known:
        """Return what is known after some tokens, which end before a line."""
        found = {
            label: {**definition, "map": _ELSEWHERE}
            for label, definition in env["references"].items()
            if 0 <= definition["map"][0] < line
        }
        return Known(
            references={**self.references, **found} if found else self.references,
            code_left=self.code_left - spent_on(tokens),
        )
