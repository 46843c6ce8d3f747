from __future__ import annotations

from polly_htmx import llm


def test_public_names_are_listed_in_order() -> None:
    assert llm.__all__ == sorted(llm.__all__)
    for name in llm.__all__:
        assert getattr(llm, name) is not None
