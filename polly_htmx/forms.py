"""Forms: what people may choose and type."""

from __future__ import annotations

from django import forms

from polly_htmx.models import Parrot


class StartForm(forms.Form):
    """Choose the Parrot of a new conversation."""

    parrot = forms.ModelChoiceField(
        queryset=Parrot.objects.none(),
        to_field_name="external_id",
        widget=forms.RadioSelect,
        empty_label=None,
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        field = self.fields["parrot"]
        field.queryset = Parrot.objects.active()  # type: ignore[attr-defined]
        first = field.queryset.first()  # type: ignore[attr-defined]
        self.initial.setdefault("parrot", first and first.external_id)
