from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from polly_htmx.models import Parrot, Trick
from tests.admin.conftest import Staff
from tests.oracle import parsed

LIST = "/admin/polly_htmx/parrot/"
ADD = "/admin/polly_htmx/parrot/add/"


def page_of(parrot: Parrot) -> str:
    return reverse("admin:polly_htmx_parrot_change", args=[parrot.pk])


def fields(**given: Any) -> dict[str, Any]:
    return {
        "name": "Coco",
        "color": "#ff0000",
        "age": "7",
        "model": "DUMMY",
        "system_prompt": "Be brief.",
        "parameters": '{"temperature": 0.2}',
        "tricks-TOTAL_FORMS": "0",
        "tricks-INITIAL_FORMS": "0",
        **given,
    }


def test_parrot_is_made_with_a_trick(admin_client: Client) -> None:
    trick = {
        "tricks-TOTAL_FORMS": "1",
        "tricks-0-name": "Count",
        "tricks-0-difficulty": "2",
        "tricks-0-description": "to ten",
    }
    response = admin_client.post(ADD, fields(**trick))
    assert response.status_code == 302, response.context["adminform"].errors
    parrot = Parrot.objects.get()
    assert parrot.parameters == {"temperature": 0.2}
    assert parrot.versions.count() == 1
    assert parrot.tricks.get().name == "Count"


def test_model_is_a_choice_of_those_that_exist_now(
    admin_client: Client, settings: LazySettings
) -> None:
    settings.POLLY = {"MODELS": {"OURS": {"label": "Our own", "model": "openai/x"}}}
    page = admin_client.get(ADD).content.decode()
    choices = {
        option.get("value"): option.text
        for option in parsed(page).iter("option")
        if option.get("value")
    }
    assert choices["OURS"] == "Our own"
    assert "DUMMY" in choices


def test_model_is_chosen_by_default(admin_client: Client) -> None:
    form = admin_client.get(ADD).context["adminform"].form
    assert form["model"].value() == "DUMMY"


def test_model_that_is_not_known_any_more_is_shown_and_kept(
    admin_client: Client, parrot: Parrot
) -> None:
    Parrot.objects.update(model="GONE")
    assert "GONE (no longer there)" in admin_client.get(LIST).content.decode()
    assert "GONE (no longer there)" in (
        admin_client.get(page_of(parrot)).content.decode()
    )
    response = admin_client.post(page_of(parrot), fields(model="GONE"))
    assert response.status_code == 302
    parrot.refresh_from_db()
    assert (parrot.name, parrot.model) == ("Coco", "GONE")


def test_model_that_nobody_knows_is_refused(
    admin_client: Client, parrot: Parrot
) -> None:
    response = admin_client.post(page_of(parrot), fields(model="GONE"))
    assert "model" in response.context["adminform"].form.errors


def test_colour_is_chosen_with_the_browsers_own_control(admin_client: Client) -> None:
    page = parsed(admin_client.get(ADD).content.decode())
    control = next(each for each in page.iter("input") if each.get("name") == "color")
    assert control.get("type") == "color"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("color", "red"),
        ("color", '#ff0000"><script>'),
        ("age", "-1"),
        ("age", "151"),
        ("parameters", "temperature"),
        ("parameters", "[1]"),
        ("parameters", '"hot"'),
        ("parameters", '{"temperature": NaN}'),
        ("parameters", '{"stop": "\\u0000"}'),
        ("parameters", '{"stop": "\\ud800"}'),
        ("parameters", '{"seed": 1' + "0" * 5000 + "}"),
        ("parameters", '{"stop": ' + "[" * 100_000 + "]" * 100_000 + "}"),
        ("parameters", '{"api_base": "https://evil.example"}'),
        ("parameters", '{"api_key": "os.environ/DJANGO_SECRET"}'),
    ],
)
def test_value_is_refused_with_a_message(
    admin_client: Client, name: str, value: str
) -> None:
    response = admin_client.post(ADD, fields(**{name: value}))
    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == [name]
    assert not Parrot.objects.exists()


def test_no_parameters_are_an_empty_object(admin_client: Client) -> None:
    admin_client.post(ADD, fields(parameters=""))
    assert Parrot.objects.get().parameters == {}


def test_invoker_of_the_sites_own_may_have_parameters_of_its_own(
    admin_client: Client, settings: LazySettings
) -> None:
    backend = {"backend": "polly_htmx.llm.scripted.ScriptedInvoker"}
    settings.POLLY = {"MODELS": {"SCRIPTED": backend}}
    admin_client.post(ADD, fields(model="SCRIPTED", parameters='{"text": "Hello"}'))
    assert Parrot.objects.get().parameters == {"text": "Hello"}


def test_parrots_retire_and_come_back(admin_client: Client, parrot: Parrot) -> None:
    def act(action: str) -> str:
        chosen = {"action": action, "_selected_action": [parrot.pk]}
        return admin_client.post(LIST, chosen, follow=True).content.decode()

    assert "1 Parrot has retired." in act("retire")
    assert not Parrot.objects.active().exists()
    assert "0 Parrots have retired." in act("retire")
    assert "1 Parrot is back." in act("bring_back")
    assert Parrot.objects.active().exists()
    notes = LogEntry.objects.order_by("pk").values_list("change_message", flat=True)
    assert list(notes) == ["Retired.", "Brought back."]


def test_who_may_only_look_can_retire_nobody(viewer: Client, parrot: Parrot) -> None:
    chosen = {"action": "retire", "_selected_action": [parrot.pk]}
    viewer.post(LIST, chosen)
    assert viewer.post(page_of(parrot), fields()).status_code == 403
    parrot.refresh_from_db()
    assert not parrot.is_retired
    assert parrot.name == "Polly"


def test_nobody_deletes_a_parrot(admin_client: Client, parrot: Parrot) -> None:
    address = reverse("admin:polly_htmx_parrot_delete", args=[parrot.pk])
    assert admin_client.post(address, {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [parrot.pk]}
    admin_client.post(LIST, {**chosen, "post": "yes"})
    assert Parrot.objects.exists()


def test_filters_find_the_active_and_the_models(
    admin_client: Client, parrot: Parrot
) -> None:
    Parrot.objects.create(name="Coco", model="GPT_5_4_MINI")
    for query, count in (
        ("", 2),
        ("?state=active", 2),
        ("?state=retired", 0),
        ("?model=GPT_5_4_MINI", 1),
        ("?q=coc", 1),
    ):
        assert admin_client.get(LIST + query).context["cl"].result_count == count


def test_autocomplete_offers_parrots_to_tricks(
    admin_client: Client, parrot: Parrot
) -> None:
    asked = {"app_label": "polly_htmx", "model_name": "trick", "field_name": "parrot"}
    answer = admin_client.get("/admin/autocomplete/", {**asked, "term": "pol"})
    assert [each["text"] for each in answer.json()["results"]] == ["Polly"]


@pytest.mark.parametrize("address", [LIST, "/admin/polly_htmx/trick/"])
def test_list_costs_the_same_for_many_rows(
    admin_client: Client,
    parrot: Parrot,
    address: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    Trick.objects.create(parrot=parrot, name="Sing")
    with django_assert_max_num_queries(10) as few:
        admin_client.get(address)
    for number in range(20):
        other = Parrot.objects.create(name=f"Parrot {number}")
        Trick.objects.create(parrot=other, name="Sing")
    with django_assert_max_num_queries(10) as many:
        admin_client.get(address)
    assert len(few) == len(many)


def test_staff_without_permission_sees_nothing(staff: Staff, parrot: Parrot) -> None:
    nobody = staff()
    for address in (LIST, ADD, page_of(parrot), "/admin/polly_htmx/trick/"):
        assert nobody.get(address).status_code == 403


def test_starters_are_written_one_a_line(admin_client: Client, parrot: Parrot) -> None:
    given = {"greeting": "Ahoy", "starters": " Sing \r\n\r\nCount\x00 to ten\n"}
    response = admin_client.post(page_of(parrot), fields(**given))
    assert response.status_code == 302, response.context["adminform"].errors
    parrot.refresh_from_db()
    assert (parrot.greeting, parrot.starters) == (
        "Ahoy",
        ["Sing", "Count\ufffd to ten"],
    )
    page = parsed(admin_client.get(page_of(parrot)).content.decode())
    written = next(
        each for each in page.iter("textarea") if each.get("name") == "starters"
    )
    assert written.text.split() == ["Sing", "Count\ufffd", "to", "ten"]
    assert parrot.versions.count() == 2, "What a chat offers is no character."


@pytest.mark.parametrize(
    ("starters", "words"), [("x\n" * 9, "at most 8 lines"), ("x" * 201, "at most 200")]
)
def test_starters_have_a_limit(
    admin_client: Client, parrot: Parrot, starters: str, words: str
) -> None:
    response = admin_client.post(page_of(parrot), fields(starters=starters))
    assert words in response.content.decode()
    parrot.refresh_from_db()
    assert parrot.starters == []


def test_caps_of_a_day_are_set_and_make_no_version(
    admin_client: Client, parrot: Parrot
) -> None:
    same = fields(system_prompt=parrot.system_prompt, parameters="{}")
    caps = {"daily_tokens": "5000", "daily_cost": "0.25"}
    response = admin_client.post(page_of(parrot), {**same, **caps})
    assert response.status_code == 302, response.context["adminform"].errors
    parrot.refresh_from_db()
    assert (parrot.daily_tokens, str(parrot.daily_cost)) == (5000, "0.2500")
    assert parrot.versions.count() == 1
    assert admin_client.post(page_of(parrot), same).status_code == 302
    parrot.refresh_from_db()
    assert not parrot.has_caps


@pytest.mark.parametrize("name", ["daily_tokens", "daily_cost"])
@pytest.mark.parametrize("value", ["0", "-1", "1e400", "x"])
def test_cap_that_bounds_nothing_is_refused(
    admin_client: Client, parrot: Parrot, name: str, value: str
) -> None:
    response = admin_client.post(page_of(parrot), fields(**{name: value}))
    assert name in response.context["adminform"].form.errors
