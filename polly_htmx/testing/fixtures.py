"""
Fixtures for pytest: named in a conftest.py's ``pytest_plugins``, or by pytest's -p.

The only module that needs pytest, which is no dependency of the package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from polly_htmx.testing.replies import run_replies
from polly_htmx.testing.scripts import Script, scripted_model

if TYPE_CHECKING:
    from polly_htmx.models import Message, Parrot


@pytest.fixture
def polly_script() -> Iterator[Callable[..., Script]]:
    """Return a function that gives all models a script: see scripted_model()."""
    with ExitStack() as stack:

        def play(*answers: str, **script: Any) -> Script:
            return stack.enter_context(scripted_model(*answers, **script))

        yield play


@pytest.fixture
def polly_parrot(db: None) -> Parrot:
    """Return a Parrot."""
    from polly_htmx.models import Parrot

    return Parrot.objects.create(name="Polly", system_prompt="You are a parrot.")


@pytest.fixture
def polly_run() -> Callable[[], list[Message]]:
    """Return a function that runs the replies that wait: see run_replies()."""
    return run_replies
