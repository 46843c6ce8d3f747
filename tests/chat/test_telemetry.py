"""Telemetry: what a host with OpenTelemetry gets of each reply, and no text."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from polly_htmx.chat import telemetry
from tests.chat.test_runner import Talk, answer, talk

__all__ = ["talk"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[InMemorySpanExporter, InMemoryMetricReader]]:
    """Return what a host's OpenTelemetry would have sent away."""
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracing, metering = TracerProvider(), MeterProvider(metric_readers=[reader])
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(trace, "get_tracer", tracing.get_tracer)
    monkeypatch.setattr(metrics, "get_meter", metering.get_meter)
    telemetry._instruments.cache_clear()
    yield spans, reader
    telemetry._instruments.cache_clear()
    tracing.shutdown()
    metering.shutdown()


async def test_reply_gives_a_span_and_figures_without_its_text(
    talk: Talk, recorded: tuple[InMemorySpanExporter, InMemoryMetricReader]
) -> None:
    spans, reader = recorded
    reply = await answer(
        await asyncio.to_thread(talk, text="ANSWER-CANARY words"), "PROMPT-CANARY"
    )
    (span,) = spans.get_finished_spans()
    assert span.name == "polly.reply"
    attributes = dict(span.attributes or {})
    assert attributes["polly.reply.id"] == str(reply.external_id)
    assert attributes["polly.reply.status"] == "complete"
    assert attributes["gen_ai.request.model"] == "SCRIPTED"
    assert attributes["gen_ai.usage.output_tokens"] == 2
    data: Any = reader.get_metrics_data()
    (scope,) = data.resource_metrics[0].scope_metrics
    assert {metric.name for metric in scope.metrics} == {
        "gen_ai.client.operation.duration",
        "gen_ai.client.token.usage",
        "polly.reply.first_token",
    }
    assert "CANARY" not in span.to_json() + data.to_json()


async def test_failed_reply_is_told_too(
    talk: Talk, recorded: tuple[InMemorySpanExporter, InMemoryMetricReader]
) -> None:
    await answer(await asyncio.to_thread(talk, fault="rate-limited"))
    (span,) = recorded[0].get_finished_spans()
    attributes = dict(span.attributes or {})
    assert attributes["polly.reply.error"] == "rate-limited"
    assert attributes["polly.reply.status"] == "failed"


async def test_without_opentelemetry_nothing_happens(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    telemetry._instruments.cache_clear()
    try:
        assert (await answer(await asyncio.to_thread(talk))).status == "complete"
    finally:
        telemetry._instruments.cache_clear()
