"""Scripts: every model of the site is played, and what it was asked is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.test import override_settings

from polly_htmx.llm import LLMModelType, breaker
from polly_htmx.llm.messages import ChatMessage

BACKEND = "polly_htmx.llm.scripted.ScriptedInvoker"


@dataclass(frozen=True)
class Script:
    """What the models of a test say, and what they heard."""

    params: dict[str, Any]
    """See ScriptedInvoker."""
    asked: list[list[ChatMessage]] = field(default_factory=list)
    """The messages of each request, in order: system prompt, history, question."""

    @property
    def polly(self) -> dict[str, Any]:
        """Return the site's POLLY setting with this script for all of its models."""
        given = getattr(settings, "POLLY", {})
        params = {**self.params, "asked": self.asked}
        models = {
            name: {"label": label, "backend": BACKEND, "params": params}
            for name, label in LLMModelType.choices
        }
        # A fault shall be seen at once, and not after a few polite tries.
        return {"RETRIES": 0, **given, "MODELS": models}


@contextmanager
def scripted_model(*answers: str, **script: Any) -> Iterator[Script]:
    """
    Let every model of the site say these answers: the first to a conversation's first
    question, and so on; the last is said again and again.

    ``script`` is what else ScriptedInvoker knows: pace, fault, tool_call, ...
    """
    if answers:
        script["answers"] = list(answers)
    playing = Script(script)
    breaker.reset()
    with override_settings(POLLY=playing.polly):
        yield playing
    breaker.reset()
