"""Structured answers: data that fits, or a clear exception after so many tries."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django import forms
from django.contrib.auth.models import User
from pydantic import BaseModel, Field
from pytest_django import Settings

from polly_htmx.llm import LLMConnect, LLMModelType, Reply, exceptions
from polly_htmx.llm.shapes import TRIES, first_object, shape_of
from tests.fake_provider import Exchange, FakeProvider


class Bird(BaseModel):
    """A bird."""

    name: str
    age: int = Field(ge=0)


class BirdForm(forms.Form):
    """The same as a form, and more."""

    name = forms.CharField(label="What it is called", max_length=20)
    age = forms.IntegerField(min_value=0, max_value=120)
    color = forms.ChoiceField(
        choices=[("", "-"), ("g", "green"), ("Warm", [("r", "red")])], required=False
    )
    foods = forms.MultipleChoiceField(
        choices=[("n", "nuts"), ("s", "seeds")], required=False
    )
    tame = forms.BooleanField(required=False)
    hatched = forms.DateField(required=False)


class OwnerForm(forms.Form):
    """Asks the database."""

    owner = forms.ModelChoiceField(User.objects.all())


POLLY = '{"name": "Polly", "age": 7}'


class Server:
    """A provider that answers one text after another."""

    def __init__(self, provider: FakeProvider, settings: Settings) -> None:
        self.provider = provider
        self.answers: list[str | int] = []
        provider.scripts["data"] = self._answer
        entry = {"model": "openai/data", "api_base": provider.url}
        settings.POLLY = {**settings.POLLY, "RETRIES": 0, "MODELS": {"DATA": entry}}

    @property
    def asked(self) -> list[dict[str, Any]]:
        return [exchange.body for exchange in self.provider.exchanges]

    async def _answer(self, exchange: Exchange) -> None:
        answer = self.answers.pop(0)
        if isinstance(answer, int):
            await exchange.answer(f"{answer} No", '{"error": {"message": "No"}}')
            return
        await exchange.head()
        await exchange.delta(content=answer)
        await exchange.delta(finish="stop")
        await exchange.done()


@pytest.fixture
def server(provider: FakeProvider, settings: Settings) -> Server:
    return Server(provider, settings)


def test_without_a_schema_there_is_a_reply(server: Server) -> None:
    server.answers = ["Hi."]
    reply = LLMConnect("DATA").ask("Hello")
    assert isinstance(reply, Reply)
    assert reply.text == "Hi."


async def test_so_it_is_in_async_code(server: Server) -> None:
    server.answers = ["Hi.", POLLY]
    connect = LLMConnect("DATA")
    assert (await connect.aask("Hello")).text == "Hi."
    assert await connect.aask("Who?", schema=Bird) == Bird(name="Polly", age=7)


def test_model_is_held_to_the_schema_and_told_it(server: Server) -> None:
    server.answers = [f"Sure!\n```json\n{POLLY}\n```"]
    connect = LLMConnect("DATA", system_prompt="You know birds.", temperature=0)
    assert connect.ask("Who is it?", schema=Bird) == Bird(name="Polly", age=7)
    (asked,) = server.asked
    assert asked["response_format"] == {
        "type": "json_schema",
        "json_schema": {
            "name": "Bird",
            "schema": Bird.model_json_schema(),
            "strict": False,
        },
    }
    system, question = asked["messages"]
    assert system["content"].startswith("You know birds.\n\nAnswer with one JSON")
    assert json.dumps(Bird.model_json_schema()) in system["content"]
    assert question["content"] == "Who is it?"
    assert asked["temperature"] == 0
    assert connect.system_prompt == "You know birds.", "The connection stays as it was."
    assert "response_format" not in connect.params


def test_mistakes_go_back_to_the_model(server: Server) -> None:
    server.answers = ["I don't know.", '{"name": "Polly", "age": -1}', POLLY]
    assert LLMConnect("DATA").ask("Who?", schema=Bird).age == 7
    last = server.asked[-1]["messages"]
    assert [each["role"] for each in last][1:] == ["user", "assistant"] * 2 + ["user"]
    assert "There is no JSON object in it." in last[3]["content"]
    assert "- age: Input should be greater than or equal to 0" in last[5]["content"]


@pytest.mark.parametrize("repairs", [0, 1, 2])
def test_tries_are_bounded(server: Server, repairs: int) -> None:
    server.answers = ['{"name": "SECRET", "age": "SECRET"}'] * 9
    with pytest.raises(exceptions.NoStructuredAnswer) as raised:
        LLMConnect("DATA").ask("Who?", schema=Bird, repairs=repairs)
    assert len(server.asked) == repairs + 1
    assert "age" in str(raised.value)
    assert "SECRET" not in str(raised.value)
    assert list(raised.value.problems) == ["age"]
    assert raised.value.__context__ is None


def test_server_that_refuses_the_format_is_asked_by_words(server: Server) -> None:
    server.answers = [400, "No.", POLLY]
    assert LLMConnect("DATA").ask("Who?", schema=Bird).name == "Polly"
    formats = ["response_format" in asked for asked in server.asked]
    assert formats == [True, False, False]
    assert server.asked[1]["messages"][-1]["content"] == "Who?"


def test_server_that_refuses_all_is_not_asked_for_ever(server: Server) -> None:
    server.answers = [400, 400, 400]
    with pytest.raises(exceptions.RequestRefused):
        LLMConnect("DATA").ask("Who?", schema=Bird)
    assert len(server.asked) == 2


def test_backend_of_the_sites_own_is_asked_by_words(scripted: Any) -> None:
    connect = scripted(text=POLLY).connect
    assert connect.ask("Who?", schema=Bird).name == "Polly"


def test_form_gives_its_cleaned_data(server: Server) -> None:
    server.answers = [
        '{"name": " Polly ", "age": 7, "color": "g", "foods": ["n"], "tame": true,'
        ' "hatched": "2020-02-01", "other": 1}'
    ]
    data = LLMConnect("DATA").ask("Who?", schema=BirdForm)
    assert (data["name"], data["age"], data["foods"]) == ("Polly", 7, ["n"])
    assert (data["tame"], str(data["hatched"])) == (True, "2020-02-01")
    assert "other" not in data


def test_form_is_told_as_a_schema() -> None:
    schema = shape_of(BirdForm).json_schema()
    assert schema["required"] == ["name", "age"]
    assert schema["properties"] == {
        "name": {
            "type": "string",
            "maxLength": 20,
            "description": "What it is called",
        },
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "color": {
            "type": "string",
            "enum": ["g", "r"],
            "description": "(g: green, r: red)",
        },
        "foods": {
            "type": "array",
            "items": {"type": "string", "enum": ["n", "s"]},
            "description": "(n: nuts, s: seeds)",
        },
        "tame": {"type": "boolean"},
        "hatched": {"type": "string", "format": "date"},
    }


def test_rows_are_not_told_to_a_model() -> None:
    assert shape_of(OwnerForm).json_schema()["properties"] == {
        "owner": {"type": "string"}
    }


def test_form_that_does_not_fit_says_where(server: Server) -> None:
    server.answers = ['{"name": null, "age": 300, "color": "blue"}']
    with pytest.raises(exceptions.NoStructuredAnswer) as raised:
        LLMConnect("DATA").ask("Who?", schema=BirdForm, repairs=0)
    assert set(raised.value.problems) == {"name", "age", "color"}


@pytest.mark.django_db(transaction=True)
async def test_form_may_ask_the_database(server: Server, user: User) -> None:
    server.answers = [json.dumps({"owner": user.pk})]
    assert await LLMConnect("DATA").aask("Who?", schema=OwnerForm) == {"owner": user}


@pytest.mark.django_db
def test_form_may_ask_the_database_in_the_callers_transaction(
    server: Server, user: User
) -> None:
    server.answers = [json.dumps({"owner": user.pk})]
    assert LLMConnect("DATA").ask("Who?", schema=OwnerForm) == {"owner": user}


@pytest.mark.parametrize("schema", [dict, {"type": "object"}, BirdForm, Bird])
def test_only_shapes_are_schemas(schema: Any) -> None:
    if schema in (BirdForm, Bird):
        assert shape_of(schema).name == schema.__name__
        return
    with pytest.raises(TypeError, match="pydantic model or a Django form"):
        LLMConnect("DUMMY").ask("Who?", schema=schema)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        ('x {"a": {"b": 1}} {"c": 2}', {"a": {"b": 1}}),
        ('{not this} but {"a": 1}', {"a": 1}),
        ('[1, {"a": 1}]', {"a": 1}),
        ('{"a": NaN}', None),
        ('{"a": ' + "9" * 5_000 + "}", None),
        ('{"a": 1', None),
        ("", None),
        ('{"a":' * 50_000, None),
        ("{" * TRIES + '{"a": 1}', None),
    ],
    ids=range(10),
)
def test_the_first_object_is_found(text: str, found: Any) -> None:
    assert first_object(text) == found


@pytest.mark.alone
def test_the_embedded_model_is_held_to_a_schema() -> None:
    pytest.importorskip("xllamacpp")
    connect = LLMConnect(LLMModelType.SMOLLM2_135M_INSTRUCT, max_tokens=60)
    assert isinstance(connect.ask("A parrot named Polly, aged 7.", schema=Bird), Bird)
