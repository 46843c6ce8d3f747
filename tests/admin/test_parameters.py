"""Parameters and fallbacks of a Parrot in the admin: own fields, the rest as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from polly_htmx.models import Parrot
from tests.admin.test_parrots import ADD, fields, page_of
from tests.oracle import parsed

ALL = {
    "temperature": 0.5,
    "top_p": 0.9,
    "max_tokens": 100,
    "seed": 7,
    "stop": ["END", " two"],
    "top_k": 40,
}
TYPED = {
    "temperature": "0.5",
    "top_p": "0.9",
    "max_tokens": "100",
    "seed": "7",
    "stop": "END\r\n two\r\n",
    "parameters": '{"top_k": 40}',
}


def errors(client: Client, **given: Any) -> dict[str, list[str]]:
    """Return what the form says of a Parrot that is to be made."""
    response = client.post(ADD, fields(parameters="{}", **given))
    assert response.status_code == 200
    assert not Parrot.objects.exists()
    found: dict[str, list[str]] = response.context["adminform"].form.errors
    return found


def test_fields_and_json_become_one(admin_client: Client) -> None:
    assert admin_client.post(ADD, fields(**TYPED)).status_code == 302
    assert Parrot.objects.get().parameters == ALL


def test_stored_parameters_are_shown_in_their_fields(
    admin_client: Client, parrot: Parrot
) -> None:
    parrot.parameters = ALL
    parrot.save()
    form = admin_client.get(page_of(parrot)).context["adminform"].form
    assert form["temperature"].value() == 0.5
    assert form["max_tokens"].value() == 100
    assert form["stop"].value() == "END\n two"
    assert json.loads(form["parameters"].value()) == {"top_k": 40}


def test_nothing_changes_when_nothing_is_changed(
    admin_client: Client, parrot: Parrot
) -> None:
    parrot.parameters = ALL | {"stop": ["a\nb"]}  # Which no line can show.
    parrot.save()
    form = admin_client.get(page_of(parrot)).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    typed = fields(
        **{name: "" if each is None else each for name, each in shown.items()}
    )
    assert admin_client.post(page_of(parrot), typed).status_code == 302
    parrot.refresh_from_db()
    assert parrot.parameters == ALL | {"stop": ["a\nb"]}
    assert parrot.versions.count() == 2


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("temperature", "3", "from 0 to 2"),
        ("temperature", "hot", "Enter a number"),
        ("top_p", "1.5", "from 0 to 1"),
        ("max_tokens", "0", "from 1 to"),
        ("seed", "1.5", "whole number"),
        ("seed", "9" * 30, "whole number from"),
        ("reasoning_effort", "huge", "valid choice"),
    ],
)
def test_wrong_value_is_told_at_its_field(
    admin_client: Client, name: str, value: str, text: str
) -> None:
    found = errors(admin_client, **{name: value})
    assert list(found) == [name]
    assert text in found[name][0]


def test_what_the_model_does_not_take_is_told_at_its_field(
    admin_client: Client,
) -> None:
    found = errors(admin_client, model="SMOLLM2_135M_INSTRUCT", reasoning_effort="high")
    assert "takes no reasoning_effort" in found["reasoning_effort"][0]
    found = errors(admin_client, model="CLAUDE_OPUS_5_5", temperature="0.5")
    assert found == {"temperature": ["Anthropic Claude Opus 5.5 takes no temperature."]}


def test_misspelt_parameter_gets_a_hint(admin_client: Client) -> None:
    response = admin_client.post(ADD, fields(parameters='{"top-k": 40}'))
    [text] = response.context["adminform"].form.errors["parameters"]
    assert text == "There is no parameter top-k. Did you mean top_k?"


def test_parameter_is_said_once(admin_client: Client) -> None:
    response = admin_client.post(ADD, fields(temperature="0.5"))
    [text] = response.context["adminform"].form.errors["parameters"]
    assert text == "temperature has a field of its own above."


def test_several_faults_are_told_at_once(admin_client: Client) -> None:
    found = errors(admin_client, temperature="3", color="red", fallbacks="NOBODY")
    assert set(found) == {"temperature", "color", "fallbacks"}


def test_fallbacks_keep_their_order(admin_client: Client, parrot: Parrot) -> None:
    typed = fields(fallbacks="OpenAI gpt-5.4 mini\n\n  claude_haiku_4_5 \n")
    admin_client.post(page_of(parrot), typed)
    parrot.refresh_from_db()
    assert parrot.fallbacks == ["GPT_5_4_MINI", "CLAUDE_HAIKU_4_5"]
    form = admin_client.get(page_of(parrot)).context["adminform"].form
    assert form["fallbacks"].value() == "GPT_5_4_MINI\nCLAUDE_HAIKU_4_5"
    assert parrot.current_version().fallbacks == parrot.fallbacks


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("GPT_5_4_MNI", "Did you mean GPT_5_4_MINI?"),
        ("OpenAI GPT-5.4 mni", "There is no model named OpenAI GPT-5.4 mni."),
        ("DUMMY", "is the model that these are to stand in for"),
        ("GPT_5_4\nGPT_5_4", "in the list twice"),
        ("%(hostile)s <b>", "There is no model named %(hostile)s &lt;b&gt;."),
    ],
)
def test_fallback_is_refused_with_a_reason(
    admin_client: Client, typed: str, text: str
) -> None:
    response = admin_client.post(ADD, fields(fallbacks=typed))
    assert list(response.context["adminform"].form.errors) == ["fallbacks"]
    assert text in response.content.decode()


def test_models_are_grouped_by_place_and_marked_if_not_set_up(
    admin_client: Client, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.POLLY = {"MODELS": {"OURS": {"label": "Our own", "model": "ollama/x"}}}
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    page = parsed(admin_client.get(ADD).content.decode())
    groups = {
        group.get("label"): {option.get("value"): option.text for option in group}
        for group in page.iter("optgroup")
    }
    assert list(groups) == [
        "Inside this site",
        "On a server of your own",
        "With a provider",
    ]
    assert groups["On a server of your own"]["OURS"] == "Our own"
    assert groups["Inside this site"]["DUMMY"].startswith("Dummy")
    assert groups["With a provider"]["GPT_5_4"] == "OpenAI GPT-5.4 (not set up)"


def test_who_may_only_look_sees_what_is_stored(viewer: Client, parrot: Parrot) -> None:
    parrot.parameters = {"temperature": 0.5}
    parrot.fallbacks = ["GPT_5_4_MINI"]
    parrot.save()
    page = viewer.get(page_of(parrot))
    assert page.status_code == 200
    assert "0.5" in page.content.decode()
    assert "GPT_5_4_MINI" in page.content.decode()
