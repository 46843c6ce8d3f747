"""The usual parameters of a Parrot as fields of their own, and the rest as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from polly_htmx.admin.base import NumberInput, Select, Textarea
from polly_htmx.llm.price_list import EFFORTS

NUL = r"\u0000"
"""How JSON writes a character that PostgreSQL does not store."""


class ParametersField(forms.JSONField):
    """A JSON object that every database can store."""

    default_error_messages = {
        "object": _('Write a JSON object, such as {"top_k": 40}.'),
        "unstorable": _("This holds a number or a character that can't be stored."),
    }

    def to_python(self, value: Any) -> Any:
        try:
            parsed = super().to_python(value)
            _check_storable(parsed)
        except (RecursionError, ValueError):
            # Nested too deeply, NaN, a number of thousands of digits, half a
            # character: JSON to Python, but not to a database.
            raise ValidationError(
                self.error_messages["unstorable"], code="unstorable"
            ) from None
        return parsed

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Show again what was typed, as it was typed where it can't be read."""
        try:
            parsed = super().bound_data(data, initial)
            _check_storable(parsed)
        except (RecursionError, ValueError):
            return InvalidJSONInput(data)
        return parsed

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is not None and not isinstance(value, dict):
            raise ValidationError(self.error_messages["object"], code="object")


def _check_storable(value: Any) -> None:
    """Raise ValueError for what a database refuses later, and as a server error."""
    written = json.dumps(value, allow_nan=False, ensure_ascii=False)
    written.encode()
    if NUL in written:
        raise ValueError(NUL)


class LinesField(forms.CharField):
    """A list of texts, one a line; without the empty ones."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=Textarea(attrs={"rows": 3}), **kwargs)

    def to_python(self, value: Any) -> Any:
        lines = (super().to_python(value) or "").splitlines()
        return [line.strip() if self.strip else line for line in lines if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != self.to_python(data))


class ParameterForm(forms.Form):
    """
    What most models take.

    Which values a given model takes is not this form's business: the Parrot itself is
    asked, so that the admin and everybody else are told the same.
    """

    temperature = forms.FloatField(
        label=_("Temperature"),
        required=False,
        widget=NumberInput(attrs={"step": "any"}),
        help_text=_("From 0, the likeliest word, to 2, wild. Empty: the model's own."),
    )
    top_p = forms.FloatField(
        label=_("Top-p"),
        required=False,
        widget=NumberInput(attrs={"step": "any"}),
        help_text=_("From 0 to 1: how much of the likely words to choose from."),
    )
    max_tokens = forms.IntegerField(
        label=_("Longest answer"),
        required=False,
        widget=NumberInput(),
        help_text=_("In tokens, of which a short word is one."),
    )
    seed = forms.IntegerField(
        label=_("Seed"),
        required=False,
        widget=NumberInput(),
        help_text=_("A number by which some models answer alike each time."),
    )
    reasoning_effort = forms.ChoiceField(
        label=_("Reasoning effort"),
        required=False,
        choices=[("", _("The model's own")), *((each, each) for each in EFFORTS)],
        widget=Select(),
        help_text=_("How long a model that thinks before it answers may do so."),
    )
    stop = LinesField(
        label=pgettext_lazy("texts that end an answer", "Stop"),
        required=False,
        strip=False,
        help_text=_("Texts that end an answer, one a line."),
    )


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _lines(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(line, str) and line.strip() and line.splitlines() == [line]
        for line in value
    )


SHOWN: dict[str, Callable[[Any], bool]] = {
    "temperature": _number,
    "top_p": _number,
    "max_tokens": _whole,
    "seed": _whole,
    "reasoning_effort": lambda value: value in EFFORTS,
    "stop": _lines,
}
"""The fields, and which values each can show."""


def split(parameters: Any) -> tuple[dict[str, Any], Any]:
    """Return what the fields show, and what is left to write as JSON."""
    if not isinstance(parameters, Mapping):
        return {}, parameters
    fields = {
        name: parameters[name]
        for name, can_show in SHOWN.items()
        if name in parameters and can_show(parameters[name])
    }
    rest = {name: value for name, value in parameters.items() if name not in fields}
    return fields, rest


def joined(fields: Mapping[str, Any], rest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that say something together with the rest."""
    said = {name: fields.get(name) for name in SHOWN}
    told = {name: value for name, value in said.items() if value not in (None, "", [])}
    return {**rest, **told}
