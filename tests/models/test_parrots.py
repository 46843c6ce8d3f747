"""Parrots, their versions and Tricks."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db.models import ProtectedError

from polly_htmx.llm import LLMModelType
from polly_htmx.models import Parrot, Trick

pytestmark = pytest.mark.django_db


def test_parrot_defaults_to_the_sites_model() -> None:
    assert Parrot.objects.create(name="Polly").model == "DUMMY"


def test_member_of_the_enumeration_is_stored_by_its_name() -> None:
    member: Any = LLMModelType.DUMMY
    parrot = Parrot.objects.create(name="Polly", model=member)
    parrot.refresh_from_db()
    assert parrot.model == "DUMMY"


def test_parrot_is_shown_by_its_name() -> None:
    parrot = Parrot.objects.create(name="Polly")
    trick = Trick.objects.create(parrot=parrot, name="Wave", difficulty=2)
    assert (str(parrot), str(trick)) == ("Polly", "Wave")
    assert str(parrot.current_version()) == "Polly 1"


@pytest.mark.parametrize("color", ["red", "#12345", "#1234567", "#12345g", "#123456\n"])
def test_color_is_refused_when_it_is_not_a_hex_triplet(color: str) -> None:
    with pytest.raises(ValidationError):
        Parrot(name="Polly", color=color).full_clean()


def test_version_is_made_when_the_character_changes() -> None:
    parrot = Parrot.objects.create(name="Polly")
    parrot.name = "Molly"
    parrot.save()
    parrot.system_prompt = "Be brief."
    parrot.save()
    prompts = parrot.versions.values_list("number", "system_prompt")
    assert list(prompts) == [(1, ""), (2, "Be brief.")]


def test_version_is_made_late_when_the_row_was_changed_past_save() -> None:
    parrot = Parrot.objects.create(name="Polly")
    Parrot.objects.filter(pk=parrot.pk).update(model="OTHER")
    parrot.refresh_from_db()
    assert parrot.current_version().model == "OTHER"
    assert parrot.current_version().number == 2


def test_parrot_with_versions_never_vanishes() -> None:
    parrot = Parrot.objects.create(name="Polly")
    with pytest.raises(ProtectedError):
        parrot.delete()


def test_ask_answers_outside_of_a_conversation(parrot: Parrot) -> None:
    assert parrot.ask("Hello").text


async def test_aask_answers_outside_of_a_conversation() -> None:
    parrot = Parrot(name="Polly", model="DUMMY")
    assert (await parrot.aask("Hello")).text


def test_what_the_model_does_not_take_is_refused() -> None:
    parrot = Parrot(name="Polly", model="SMOLLM2_135M_INSTRUCT", color="red")
    parrot.parameters = {"reasoning_effort": "low", "top_p": 5}
    parrot.fallbacks = ["DUMMI", "SMOLLM2_135M_INSTRUCT"]
    with pytest.raises(ValidationError) as caught:
        parrot.full_clean()
    found = caught.value.message_dict
    assert set(found) == {"color", "parameters", "fallbacks"}
    assert len(found["parameters"]) == 2
    assert "Did you mean DUMMY?" in found["fallbacks"][0]


def test_model_that_is_gone_is_no_fault_of_the_row() -> None:
    Parrot(name="Polly", model="GONE", parameters={"temperature": 1}).full_clean()


@pytest.mark.parametrize("nonsense", ["DUMMY", {"a": 1}, [1], [["DUMMY"]]])
def test_fallbacks_are_a_list_of_names(nonsense: Any) -> None:
    with pytest.raises(ValidationError, match="list of names"):
        Parrot(name="Polly", fallbacks=nonsense).full_clean()


def test_fallbacks_make_a_version() -> None:
    parrot = Parrot.objects.create(name="Polly")
    parrot.fallbacks = ["GPT_5_4"]
    parrot.save()
    assert [each.fallbacks for each in parrot.versions.all()] == [[], ["GPT_5_4"]]
