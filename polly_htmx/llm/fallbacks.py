"""Fallbacks: the models that a Parrot names for the times when its own can't answer."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from polly_htmx.llm.model_type import LLMModelType, is_known, meant


def problems(model: str, fallbacks: Any) -> list[str]:
    """Return what is wrong with a Parrot's list of names: translated sentences."""
    if not isinstance(fallbacks, list) or not all(
        isinstance(name, str) for name in fallbacks
    ):
        return [_("Write a list of names of models.")]
    found = []
    for number, name in enumerate(fallbacks):
        if not is_known(name):
            text = _("There is no model named %(name)s.") % {"name": name}
            found.append(text + meant(name, LLMModelType.names))
        elif name == model:
            text = _("%(name)s is the model that these are to stand in for.")
            found.append(text % {"name": name})
        elif name in fallbacks[:number]:
            found.append(_("%(name)s is in the list twice.") % {"name": name})
    return found
