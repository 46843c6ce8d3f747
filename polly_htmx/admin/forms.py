"""The form of a Parrot: a choice of models, a colour, and checked parameters."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, gettext_lazy as _

from polly_htmx.admin.base import ColorInput, Select
from polly_htmx.admin.parameters import (
    SHOWN,
    LinesField,
    ParameterForm,
    ParametersField,
    joined,
    split,
)
from polly_htmx.llm import LLMModelType, problem
from polly_htmx.llm.model_type import is_known
from polly_htmx.markdown import clean_text
from polly_htmx.models import Parrot

MAX_STARTERS = 8
STARTER_CHARS = 200


class StartersField(LinesField):
    """The messages that an empty chat offers: some short texts, one a line."""

    default_error_messages = {
        "many": _("Write at most %(count)s lines."),
        "long": _("A line may have at most %(count)s characters."),
    }

    def to_python(self, value: Any) -> Any:
        return super().to_python(clean_text(str(value or "")))

    def validate(self, value: Any) -> None:
        super().validate(value)
        if len(value) > MAX_STARTERS:
            self._refuse("many", MAX_STARTERS)
        if any(len(line) > STARTER_CHARS for line in value):
            self._refuse("long", STARTER_CHARS)

    def _refuse(self, code: str, count: int) -> None:
        message = self.error_messages[code]
        raise ValidationError(message, code=code, params={"count": count})


class ParrotForm(forms.ModelForm, ParameterForm):  # type: ignore[type-arg]
    """A Parrot as the admin edits it."""

    fallbacks = LinesField(
        label=_("Fallbacks"),
        required=False,
        help_text=_(
            "Models that answer, in this order, where the Parrot's own can't: one a "
            "line, written as in the choice of models, or by their names in the "
            "settings. Empty: those that the Parrot's model has."
        ),
    )

    starters = StartersField(
        label=_("Starters"),
        required=False,
        help_text=_("Messages that an empty chat offers to send, one a line."),
    )

    class Meta:
        model = Parrot
        fields = (
            "name",
            "color",
            "age",
            "model",
            "system_prompt",
            "parameters",
            "fallbacks",
            "shows_thinking",
            "daily_tokens",
            "daily_cost",
            "greeting",
            "starters",
        )
        field_classes = {"parameters": ParametersField}
        widgets = {"color": ColorInput}
        labels = {"parameters": _("Further parameters")}
        help_texts = {
            "parameters": _('What has no field above, such as {"top_k": 40}.'),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "model" in self.fields:  # Who may only look gets a form without fields.
            self.fields["model"] = self._model_field(self.fields["model"])
        fields, rest = split(self.instance.parameters)
        self.initial = {**fields, **self.initial, "parameters": rest}

    def _model_field(self, plain: forms.Field) -> forms.ChoiceField:
        """Return a choice of the models that there are now, and of the stored one."""
        return forms.ChoiceField(
            choices=model_choices(self.instance.model),
            label=plain.label,
            initial=plain.initial,
            widget=Select(),
        )

    def clean_fallbacks(self) -> list[str]:
        """Take labels for the names that they stand for; a wrong one is told later."""
        names = {label.casefold(): name for name, label in LLMModelType.choices}
        names |= {name.casefold(): name for name in LLMModelType.names}
        typed: list[str] = self.cleaned_data["fallbacks"]
        return [names.get(each.casefold(), each) for each in typed]

    def clean(self) -> dict[str, Any]:
        """Put the parameters together, of which none may be said twice."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if "parameters" not in data:
            return data  # They could not be read.
        rest = data["parameters"] or {}
        for name in SHOWN:
            if name in rest and data.get(name) not in (None, "", []):
                text = gettext("%(name)s has a field of its own above.")
                self.add_error("parameters", text % {"name": name})
                return data
        data["parameters"] = joined(data, rest)
        return data

    def add_error(self, field: str | None, error: Any) -> None:
        """Show what is wrong with a parameter at its own field, if it has one."""
        found = getattr(error, "error_dict", None)
        if field is not None or found is None or "parameters" not in found:
            super().add_error(field, error)
            return
        for each in found.pop("parameters"):
            name = (each.params or {}).get("name")
            super().add_error(name if name in SHOWN else "parameters", each)
        if found:
            super().add_error(None, ValidationError(found))


def model_choices(stored: str) -> list[tuple[str, Any]]:
    """Return the models that can be chosen, in groups; a stored one stays, known or not."""
    choices: list[tuple[str, Any]] = [
        (place, [(name, _marked(name, label)) for name, label in group])
        for place, group in LLMModelType.grouped_choices
    ]
    if stored and not is_known(stored):
        choices.append((stored, model_label(stored)))
    return choices


def _marked(name: str, label: str) -> str:
    """Return a model's label, which says so if its key, file or engine is missing."""
    if problem(LLMModelType[name]) is None:
        return label
    return gettext("%(label)s (not set up)") % {"label": label}


def model_label(stored: str) -> str:
    """Return a model's label, which says so if the model is not known any more."""
    if not stored or is_known(stored):
        return str(LLMModelType[stored].label) if stored else ""
    return gettext("%(name)s (no longer there)") % {"name": stored}
