"""Telemetry: spans and metrics of replies, where the host has OpenTelemetry."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Any

from polly_htmx.models import Message

if TYPE_CHECKING:
    from polly_htmx.chat.leases import Figures

NAME = "polly_htmx"
NANO = 1_000_000_000


class _Instruments:
    """What the host's OpenTelemetry gives us; its settings decide where it goes."""

    def __init__(self, trace: Any, metrics: Any) -> None:
        self.tracer = trace.get_tracer(NAME)
        meter = metrics.get_meter(NAME)
        self.duration = meter.create_histogram("gen_ai.client.operation.duration", "s")
        self.first = meter.create_histogram("polly.reply.first_token", "s")
        self.tokens = meter.create_histogram("gen_ai.client.token.usage", "{token}")


def reply_ended(reply: Message, figures: Figures) -> None:
    """
    Record one reply: ids, model, tokens and times, and never a text.

    The names are those of OpenTelemetry's conventions for generative models where
    there are any. Does nothing where OpenTelemetry is not installed.
    """
    instruments = _instruments()
    if instruments is None or figures.seconds is None:
        return
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": figures.model,
        "polly.reply.status": str(reply.status),
    }
    instruments.duration.record(figures.seconds, attributes)
    if figures.first is not None:
        instruments.first.record(figures.first, attributes)
    tokens = _tokens(figures)
    for kind, count in tokens.items():
        instruments.tokens.record(count, {**attributes, "gen_ai.token.type": kind})
    end = time.time_ns()
    span = instruments.tracer.start_span(
        "polly.reply", start_time=end - int(figures.seconds * NANO)
    )
    used = {f"gen_ai.usage.{kind}_tokens": count for kind, count in tokens.items()}
    ids = {
        "polly.reply.id": str(reply.external_id),
        "polly.conversation.id": str(reply.conversation.external_id),
        "polly.reply.error": reply.error,
    }
    span.set_attributes({**attributes, **used, **ids})
    span.end(end_time=end)


def _tokens(figures: Figures) -> dict[str, int]:
    if figures.usage is None:
        return {}
    usage = figures.usage
    return {"input": usage.input_tokens, "output": usage.output_tokens}


@cache
def _instruments() -> _Instruments | None:
    try:
        # Hosts that have it not pay nothing for it.
        from opentelemetry import metrics, trace
    except ImportError:
        return None
    return _Instruments(trace, metrics)
