"""Addresses and keys come from the settings alone, whatever the rows say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ValidationError
from django.test import Client

from polly_htmx.llm import LLMConnect, LLMInvoker, exceptions
from polly_htmx.models import Parrot
from tests.admin.test_parrots import ADD, fields
from tests.fake_provider import FakeProvider
from tests.fake_scripts import SCRIPTS

KEY = "sk-of-the-site-0123456789"
SECRET = "a-secret-of-the-environment"
NAMES = [
    "api_base",
    "api_key",
    "aws_session_token",
    "base_url",
    "custom_llm_provider",
    "extra_body",
    "extra_headers",
    "headers",
    "http_client",
    "litellm_credential_name",
    "model",
    "vertex_credentials",
]


class Own(LLMInvoker):
    """An invoker of a site's own, which hands all parameters on to litellm."""


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(SCRIPTS) as server:
        yield server


@pytest.fixture
def evil() -> Iterator[FakeProvider]:
    """Return a server that must never be asked."""
    with FakeProvider(SCRIPTS) as server:
        yield server
    assert server.exchanges == []


@pytest.fixture(autouse=True)
def site(
    settings: LazySettings, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let a model, an own invoker of it, and its fallback be set up as a site does."""
    entry = {"model": "openai/good", "api_base": provider.url, "api_key": KEY}
    own = entry | {"backend": "tests.test_addresses.Own"}
    settings.POLLY = {"RETRIES": 0, "MODELS": {"HOSTED": entry, "OWN": own}}
    monkeypatch.setenv("SECRET_OF_DJANGO", SECRET)


def bird(parameters: dict[str, Any], **more: Any) -> Parrot:
    """Return a Parrot whose row was written past every form and model."""
    parrot = Parrot.objects.create(name="Polly", model=more.pop("model", "HOSTED"))
    Parrot.objects.filter(pk=parrot.pk).update(parameters=parameters, **more)
    parrot.refresh_from_db()
    return parrot


@pytest.mark.django_db
@pytest.mark.parametrize("model", ["HOSTED", "OWN"])
@pytest.mark.parametrize("name", NAMES)
def test_row_can_not_name_an_address_or_a_key(
    provider: FakeProvider, evil: FakeProvider, name: str, model: str
) -> None:
    parrot = bird({name: evil.url}, model=model)
    with pytest.raises(ValidationError, match=name):
        parrot.full_clean()
    with pytest.raises(exceptions.BadParameter, match=name) as caught:
        parrot.ask("Hi")
    assert evil.url not in str(caught.value)
    assert provider.exchanges == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", NAMES)
def test_form_takes_none(admin_client: Client, evil: FakeProvider, name: str) -> None:
    for model in ("HOSTED", "OWN"):
        typed = fields(model=model, parameters=json.dumps({name: evil.url}))
        response = admin_client.post(ADD, typed)
        [text] = response.context["adminform"].form.errors["parameters"]
        assert name in text
    assert not Parrot.objects.exists()


@pytest.mark.django_db
def test_what_lies_deeper_is_sent_as_it_is_and_obeyed_by_nobody(
    provider: FakeProvider, evil: FakeProvider
) -> None:
    inside = {
        "api_base": evil.url,
        "base_url": evil.url,
        "api_key": "os.environ/SECRET_OF_DJANGO",
        "extra_headers": {"Authorization": "Bearer os.environ/SECRET_OF_DJANGO"},
    }
    parameters = {
        "thinking": inside,
        "response_format": {"type": "json_object", **inside},
        "logit_bias": inside,
        "stop": ["os.environ/SECRET_OF_DJANGO"],
    }
    bird(parameters).ask("Hi")
    [asked] = provider.exchanges
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert SECRET not in json.dumps([asked.body, asked.headers])


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["openai/good", "http://127.0.0.1/v1", "file:///etc"])
def test_row_names_models_by_their_names_alone(
    provider: FakeProvider, name: str
) -> None:
    with pytest.raises(exceptions.UnknownModel):
        bird({}, model=name).ask("Hi")
    assert bird({}, fallbacks=[name]).ask("Hi").text
    assert len(provider.exchanges) == 1


@pytest.mark.django_db
def test_stand_in_hears_nothing_that_was_meant_for_another(
    settings: LazySettings, provider: FakeProvider
) -> None:
    backend = "polly_htmx.llm.scripted.ScriptedInvoker"
    script = {"backend": backend, "params": {"fault": "unavailable"}}
    settings.POLLY["MODELS"]["SCRIPTED"] = script
    # Words of the scripted invoker's own; litellm would put them into its request.
    parrot = bird({"pace": 7, "temperature": 1}, model="SCRIPTED", fallbacks=["HOSTED"])
    assert parrot.ask("Hi").model == "HOSTED"
    assert "pace" not in provider.last.body
    assert provider.last.body["temperature"] == 1


@pytest.mark.parametrize("name", ["api_base", "api_key", "base_url"])
def test_code_and_settings_say_it_in_the_entry(name: str, evil: FakeProvider) -> None:
    with pytest.raises(exceptions.BadParameter, match="in its entry of MODELS"):
        LLMConnect("HOSTED", **{name: evil.url})
