"""Questions to a Parrot outside of conversations: answered, and written down."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings
from django.db import DatabaseError, transaction
from pytest_django import DjangoAssertNumQueries

from polly_htmx.llm import exceptions
from polly_htmx.models import ModelCall, Parrot

BACKEND = "polly_htmx.llm.scripted.ScriptedInvoker"


@pytest.fixture
def bird(settings: LazySettings, db: None) -> Parrot:
    """Return a Parrot whose model can be told what to do."""
    settings.POLLY = {
        "RETRIES": 0,
        "MODELS": {"M": {"backend": BACKEND, "params": {"text": "One two"}}},
    }
    return Parrot.objects.create(name="Polly", model="M")


def script(settings: LazySettings, **params: Any) -> None:
    settings.POLLY["MODELS"]["M"]["params"] = params


def test_answer_leaves_a_row(bird: Parrot) -> None:
    assert bird.ask("Hello").text == "One two"
    call = ModelCall.objects.get()
    assert (call.purpose, call.model, call.error) == ("ask", "M", "")
    assert (call.exactness, call.output_tokens) == ("exact", 2)
    assert call.version == bird.current_version()
    assert (call.reply, call.user, call.visitor) == (None, None, None)


def test_failure_leaves_a_row_and_is_raised(
    bird: Parrot, settings: LazySettings
) -> None:
    script(settings, fault="unavailable")
    with pytest.raises(exceptions.Unavailable):
        bird.ask("Hello")
    assert ModelCall.objects.get().error == "unavailable"


def test_row_takes_two_statements(
    bird: Parrot, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(4):  # Two of them are the test's own savepoint.
        bird.ask("Hello")


@pytest.mark.django_db(transaction=True)
async def test_async_twin_leaves_a_row(settings: LazySettings) -> None:
    settings.POLLY = {"MODELS": {"M": {"backend": BACKEND}}}
    bird = Parrot(name="Polly", model="M")
    await bird.asave()
    assert (await bird.aask("Hello")).text
    call = await ModelCall.objects.aget()
    assert (call.purpose, call.model) == ("ask", "M")


def test_answer_is_given_when_the_row_can_not_be_written(
    bird: Parrot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise DatabaseError("secret words")

    monkeypatch.setattr(ModelCall.objects.none().__class__, "bulk_create", broken)
    with transaction.atomic():
        assert bird.ask("Hello").text == "One two"
        assert Parrot.objects.exists()  # The site's own transaction is whole.
    assert "calls not written down" in caplog.text
    assert "secret" not in caplog.text


def test_parrot_that_is_changed_and_not_saved_has_no_version_for_it(
    bird: Parrot,
) -> None:
    bird.system_prompt = "Be brief."
    bird.ask("Hello")
    assert ModelCall.objects.get().version is None
    assert bird.versions.count() == 1


def test_parrot_that_is_not_saved_leaves_no_row(bird: Parrot) -> None:
    assert Parrot(name="Coco", model="M").ask("Hello").text
    assert not ModelCall.objects.exists()


def test_parameter_is_refused_before_any_call(bird: Parrot) -> None:
    bird.model, bird.parameters = "DUMMY", {"temperatures": 1}
    with pytest.raises(exceptions.BadParameter, match="temperature"):
        bird.ask("Hello")
    assert not ModelCall.objects.exists()
