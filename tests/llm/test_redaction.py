"""The provider's key turns up nowhere, even where everything is logged."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import pytest
from django.test import RequestFactory
from django.views.debug import ExceptionReporter
from pytest_django import Settings

from polly_htmx.llm import LLMConnect, litellm_port, redaction
from polly_htmx.llm.exceptions import LLMError
from tests.fake_provider import FakeProvider
from tests.llm.conftest import CANARY, Invoke

FAULTS = ["unauthorised", "forbidden", "error-event", "broken-inside", "good"]


@pytest.fixture
def debugging(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Log all that can be logged."""
    litellm_port.load()
    caplog.set_level(logging.DEBUG)
    names = [
        n for n in logging.root.manager.loggerDict if n.startswith(redaction.LIBRARIES)
    ]
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.usefixtures("debugging")
@pytest.mark.parametrize("prefix", ["openai/", "hosted_vllm/"])
@pytest.mark.parametrize("script", FAULTS)
async def test_key_is_nowhere_when_the_provider_echoes_it(
    invoke: Invoke,
    provider: FakeProvider,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    script: str,
    prefix: str,
) -> None:
    report = ""
    try:
        await invoke(script, prefix=prefix).asend_message("Hi")
    except LLMError:
        request = RequestFactory().get("/")
        reporter = ExceptionReporter(request, *sys.exc_info())
        report = reporter.get_traceback_html() + reporter.get_traceback_text()
    assert CANARY in provider.last.headers["authorization"]
    logged = "".join(
        f"{record.getMessage()}{record.exc_text}{record.__dict__}"
        for record in caplog.records
    )
    written = "".join(capfd.readouterr())
    assert len(caplog.records) > 5
    for place in (logged, caplog.text, written, report):
        assert CANARY not in place


async def test_key_is_not_in_the_representation_of_a_call() -> None:
    call = litellm_port.Call(model="m", messages=[], timeout=1, api_key=CANARY)
    assert CANARY not in repr(call)


def test_key_is_masked_when_it_is_in_the_arguments(
    caplog: pytest.LogCaptureFixture,
) -> None:
    redaction.remember(CANARY)
    logger = logging.getLogger("openai")
    logger.setLevel(logging.DEBUG)
    redaction.guard()
    logger.debug("sent %s and %s", f"Bearer {CANARY}", {"key": CANARY})
    logger.setLevel(logging.NOTSET)
    assert f"sent Bearer {redaction.MASK} and" in caplog.text
    assert CANARY not in caplog.text


def test_key_is_masked_when_litellm_takes_it_from_the_environment(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-only-in-the-environment")
    redaction.guard()
    logging.getLogger("openai").warning("it is %s", "sk-only-in-the-environment")
    assert f"it is {redaction.MASK}" in caplog.text


def test_short_keys_are_not_masked() -> None:
    redaction.remember("abc")
    redaction.remember(None)
    assert "abc" not in redaction._keys


async def test_log_has_one_line_for_a_fault(
    invoke: Invoke, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(LLMError):
        await invoke("broken-inside").asend_message("PROMPT-CANARY")
    lines = [r.getMessage() for r in caplog.records if r.name.startswith("polly")]
    assert len(lines) == 1
    assert "unavailable" in lines[0]
    assert "PROMPT-CANARY" not in caplog.text


def test_connection_hides_the_key(settings: Settings) -> None:
    settings.POLLY = {"MODELS": {"M": {"api_key": CANARY}}}
    connect = LLMConnect("M")
    assert CANARY not in f"{connect!r}{connect.__dict__}{connect.invoker().__dict__}"
