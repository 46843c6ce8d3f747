from __future__ import annotations

import pytest

from polly_htmx.llm import exceptions
from polly_htmx.llm.litellm_faults import translated


class _Fault(Exception):
    def __init__(self, status: object, headers: dict[str, str] | None = None) -> None:
        super().__init__("secret text")
        self.status_code = status
        self.litellm_response_headers = headers


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, exceptions.NotAuthorised),
        (402, exceptions.NotAuthorised),
        (404, exceptions.NotConfigured),
        (408, exceptions.TimedOut),
        (413, exceptions.ContextTooLong),
        (422, exceptions.RequestRefused),
        (502, exceptions.Unavailable),
        ("401", exceptions.Unavailable),
        (None, exceptions.Unavailable),
    ],
)
def test_status_says_what_happened(status: object, expected: type[Exception]) -> None:
    fault = translated(_Fault(status))
    assert type(fault) is expected
    assert "secret" not in str(fault)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("Wed, 21 Oct", None), ("nan", None), ("-1", None)],
)
def test_retry_after_is_read_when_it_is_a_number(
    header: str, seconds: float | None
) -> None:
    fault = translated(_Fault(429, {"retry-after": header}))
    assert isinstance(fault, exceptions.RateLimited)
    assert fault.retry_after == seconds


def test_own_exceptions_pass() -> None:
    fault = exceptions.NotConfigured("x")
    assert translated(fault) is fault


def test_causes_are_looked_through_when_they_form_a_ring() -> None:
    fault = _Fault(500)
    fault.__cause__ = UnicodeDecodeError("utf-8", b"", 0, 1, "bad")
    fault.__cause__.__cause__ = fault
    assert type(translated(fault)) is exceptions.BadResponse
