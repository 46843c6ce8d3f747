"""Models of the survival tests: a very long answer, and faults to order."""

from __future__ import annotations

import re
from collections.abc import Sequence

from polly_htmx.llm import ScriptedInvoker
from polly_htmx.llm.messages import ChatMessage


class LongInvoker(ScriptedInvoker):
    """Says its text many times over: settings have no room for so much."""

    def _pieces(self, messages: list[ChatMessage], fault: str | None) -> Sequence[str]:
        text: str = self.connect.params["text"]
        pieces = re.findall(r"\s*\S+|\s+$", text)
        at_once: int = self.connect.params.get("at_once", 1)
        lots = [
            "".join(pieces[start : start + at_once])
            for start in range(0, len(pieces), at_once)
        ]
        return lots * int(self.connect.params["times"])
