"""The form of a Parrot: a choice of models, a colour, and checked parameters."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext, gettext_lazy as _

from polly_htmx.admin.base import ColorInput, Select
from polly_htmx.llm import LLMModelType
from polly_htmx.models import Parrot

NUL = r"\u0000"
"""How JSON writes a character that PostgreSQL does not store."""


class ParametersField(forms.JSONField):
    """A JSON object that every database can store."""

    default_error_messages = {
        "object": _('Write a JSON object, such as {"temperature": 0.2}.'),
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


class ParrotForm(forms.ModelForm):  # type: ignore[type-arg]
    """A Parrot as the admin edits it."""

    class Meta:
        model = Parrot
        fields = (
            *("name", "color", "age"),
            *("model", "system_prompt", "parameters", "shows_thinking"),
        )
        field_classes = {"parameters": ParametersField}
        widgets = {"color": ColorInput}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "model" in self.fields:  # Who may only look gets a form without fields.
            self.fields["model"] = self._model_field(self.fields["model"])

    def _model_field(self, plain: forms.Field) -> forms.ChoiceField:
        """Return a choice of the models that there are now, and of the stored one."""
        return forms.ChoiceField(
            choices=model_choices(self.instance.model),
            label=plain.label,
            initial=plain.initial,
            widget=Select(),
        )


def model_choices(stored: str) -> list[tuple[str, str]]:
    """Return the models that can be chosen; a stored one stays, known or not."""
    choices = LLMModelType.choices
    if stored and stored not in dict(choices):
        unknown = gettext("%(name)s (no longer there)") % {"name": stored}
        choices = [*choices, (stored, unknown)]
    return choices


def model_label(stored: str) -> str:
    """Return a model's label, which says so if the model is not known."""
    return str(dict(model_choices(stored))[stored]) if stored else ""
