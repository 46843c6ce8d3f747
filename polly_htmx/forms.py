"""Forms: what people may choose and type."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from polly_htmx.chat.lines import plain_line
from polly_htmx.models import Parrot
from polly_htmx.models.conversations import TITLE_CHARS


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


class TitleForm(forms.Form):
    """Give a conversation a title; an empty one lets its first words stand."""

    title = forms.CharField(
        label=_("Title"), max_length=TITLE_CHARS, required=False, strip=True
    )

    def clean_title(self) -> str:
        """Return the title as one line, without what deceives readers."""
        return plain_line(self.cleaned_data["title"])
