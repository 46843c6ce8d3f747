"""
Shapes: what a structured answer must look like, as a pydantic model or a Django form.

Known by what they can do, so that neither library is imported for the other's sake.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from django import forms
from django.utils.encoding import force_str

TRIES = 100
"""How many opening braces of an answer are tried as the beginning of an object."""

TYPES: list[tuple[type[forms.Field], dict[str, Any]]] = [
    (forms.NullBooleanField, {"type": ["boolean", "null"]}),
    (forms.BooleanField, {"type": "boolean"}),
    (forms.DecimalField, {"type": "number"}),
    (forms.FloatField, {"type": "number"}),
    (forms.IntegerField, {"type": "integer"}),
    (forms.DateTimeField, {"type": "string", "format": "date-time"}),
    (forms.DateField, {"type": "string", "format": "date"}),
    (forms.EmailField, {"type": "string", "format": "email"}),
    (forms.JSONField, {}),
]
"""Fields that JSON has a type for. Text is what all others take."""

LIMITS = {"min_value": "minimum", "max_value": "maximum", "max_length": "maxLength"}
"""What JSON Schema calls the limits of a field."""


class Invalid(Exception):
    """An answer is not of the shape."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__()
        self.problems = dict(problems)
        """What is wrong, by the place in the answer."""


class Shape(Protocol):
    """What is asked of an answer."""

    name: str

    def json_schema(self) -> dict[str, Any]:
        """Return it as JSON Schema."""

    def value(self, data: dict[str, Any]) -> Any:
        """Return what is made of an answer's data; raise Invalid."""


def shape_of(schema: Any) -> Shape:
    """Return the shape that a caller means by a class."""
    if hasattr(schema, "model_json_schema"):
        return _Pydantic(schema)
    if hasattr(schema, "base_fields"):
        return _Form(schema)
    raise TypeError("A schema is a pydantic model or a Django form: the class itself.")


class _Pydantic:
    def __init__(self, model: Any) -> None:
        self.name: str = model.__name__
        self._model = model

    def json_schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = self._model.model_json_schema()
        return schema

    def value(self, data: dict[str, Any]) -> Any:
        try:
            return self._model.model_validate(data)
        except ValueError as exc:  # pydantic's own is one
            details = getattr(exc, "errors", None)
            if details is None:
                raise
            problems = {
                ".".join(map(str, each["loc"])) or "all": str(each["msg"])
                for each in details()
            }
        raise Invalid(problems)


class _Form:
    def __init__(self, form: Any) -> None:
        self.name: str = form.__name__
        self._form = form

    def json_schema(self) -> dict[str, Any]:
        fields: dict[str, forms.Field] = self._form.base_fields
        return {
            "type": "object",
            "properties": {name: _schema(field) for name, field in fields.items()},
            "required": [name for name, field in fields.items() if field.required],
        }

    def value(self, data: dict[str, Any]) -> Any:
        # To a form nothing is a key that is missing.
        given = {name: each for name, each in data.items() if each is not None}
        form = self._form(given)
        if form.is_valid():
            return form.cleaned_data
        problems = {name: " ".join(texts) for name, texts in form.errors.items()}
        raise Invalid(problems)


def _schema(field: forms.Field) -> dict[str, Any]:
    found = next((known for kind, known in TYPES if isinstance(field, kind)), None)
    schema: dict[str, Any] = {"type": "string"} if found is None else dict(found)
    text = " ".join(force_str(each) for each in (field.label, field.help_text) if each)
    # Rows of the database are nobody's choices: there may be many, and private ones.
    if isinstance(field, forms.ChoiceField) and not isinstance(
        field, forms.ModelChoiceField
    ):
        choices = dict(_flat(field.choices))
        schema["enum"] = list(choices)
        named = (f"{value}: {label}" for value, label in choices.items())
        text = f"{text} ({', '.join(named)})".strip()
    if isinstance(field, forms.MultipleChoiceField):
        schema = {"type": "array", "items": schema}
    for name, keyword in LIMITS.items():
        limit = getattr(field, name, None)
        if isinstance(limit, (int, float)):
            schema[keyword] = limit
    return {**schema, "description": text} if text else schema


def _flat(choices: Any) -> Iterator[tuple[str, str]]:
    for value, label in choices:
        if isinstance(label, (list, tuple)):  # a group
            yield from _flat(label)
        elif value not in {"", None}:
            yield str(value), force_str(label)


def first_object(text: str) -> dict[str, Any] | None:
    """Return the first JSON object in a text, whatever stands around it."""
    decoder = json.JSONDecoder(parse_constant=_no_number)
    start = -1
    for _ in range(TRIES):
        start = text.find("{", start + 1)
        if start < 0:
            return None
        try:
            found, _end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    return None


def _no_number(name: str) -> Any:
    raise ValueError(name)
