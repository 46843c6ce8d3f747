"""
Google's finish reason, which litellm says was "stop" whatever came, and if nothing did.

So it is read off the chunks as they pass on their way to litellm's own reading.
"""

from __future__ import annotations

from typing import Any

PROVIDERS = ("gemini", "vertex_ai", "vertex_ai_beta")


class LastWord:
    """Hears whether Google says how its answer ended."""

    def __init__(self) -> None:
        self.is_heard = False

    async def listen(self, answer: Any) -> None:
        """Begin to listen to an answer of which nothing has been read yet."""
        stream = await answer.fetch_stream()
        parse = getattr(stream, "chunk_parser", None)
        if parse is None:
            self.is_heard = True  # Another reading, of which nothing is known.
            return

        def heard(chunk: Any) -> Any:
            self.is_heard = self.is_heard or _says_end(chunk)
            return parse(chunk)

        stream.chunk_parser = heard


def _says_end(chunk: Any) -> bool:
    if not isinstance(chunk, dict):
        return False
    if (chunk.get("promptFeedback") or {}).get("blockReason"):
        return True
    return any(each.get("finishReason") for each in chunk.get("candidates") or ())
