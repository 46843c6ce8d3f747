"""What our admin classes are built from: unfold's where it is installed, or Django's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.apps import apps
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.http import HttpRequest

from polly_htmx import access

# The type checkers see Django's classes: unfold's are subclasses without types.
if TYPE_CHECKING or not apps.is_installed("unfold"):
    from django.contrib.admin import ModelAdmin, TabularInline

    class ColorInput(AdminTextInputWidget):
        """The browser's own way to choose a colour."""

        input_type = "color"

    NumberInput = forms.NumberInput
    Select = forms.Select
    Textarea = AdminTextareaWidget
else:
    from unfold.admin import ModelAdmin, TabularInline
    from unfold.widgets import (
        UnfoldAdminColorInputWidget as ColorInput,
        UnfoldAdminIntegerFieldWidget as NumberInput,
        UnfoldAdminSelectWidget as Select,
        UnfoldAdminTextareaWidget as Textarea,
    )

__all__ = [
    "ColorInput",
    "ModelAdmin",
    "NumberInput",
    "ReadOnly",
    "Select",
    "TabularInline",
    "Textarea",
]

PER_PAGE = 50
"""Rows of a list. Unfold and Django would show 100, which nobody reads."""


def may_read(request: HttpRequest) -> bool:
    """Tell whether this member of the staff may read what others wrote."""
    return access.may_read_as_staff(access.who(request))


class ReadOnly:
    """Mixin for rows that chats make: nobody adds or changes them by hand."""

    def has_add_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False
