"""Words: the texts of statements, kept; only names of our own are put into them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connections, models

Shape = tuple[tuple[str, type], ...]
"""All of some columns and values that stands in a text: the values are bound."""


@dataclass(frozen=True, slots=True)
class Plus:
    """A change of a number: what is there, and so much more."""

    by: int


def shape(columns: Mapping[str, Any]) -> Shape:
    """Return what a text has of columns and their values."""
    return tuple(
        (name, type(value) if value is None or isinstance(value, Plus) else object)
        for name, value in columns.items()
    )


def value(given: Any) -> Any:
    """Return what is bound for a value."""
    return given.by if isinstance(given, Plus) else given


@cache
def update(model: type[models.Model], using: str, changes: Shape, where: Shape) -> str:
    """Return an UPDATE of the rows that have some values."""
    changed = ", ".join(
        f"{name} = {name} + %s" if kind is Plus else f"{name} = %s"
        for name, kind in _columns(model, using, changes)
    )
    found = condition(model, using, where)
    return f"UPDATE {table(model, using)} SET {changed} WHERE {found}"  # noqa: S608


@cache
def insert(model: type[models.Model], using: str) -> str:
    """Return an INSERT of one row that tells its key."""
    names = ", ".join(column(model, using, field.name) for field in given(model))
    places = ", ".join("%s" for _field in given(model))
    key = column(model, using, "pk")
    into = table(model, using)
    return f"INSERT INTO {into} ({names}) VALUES ({places}) RETURNING {key}"  # noqa: S608


def condition(model: type[models.Model], using: str, where: Shape) -> str:
    """Return a condition that rows have some values."""
    # With the table's name, for others may be read beside it.
    of = table(model, using)
    return " AND ".join(
        f"{of}.{name} IS NULL" if kind is type(None) else f"{of}.{name} = %s"
        for name, kind in _columns(model, using, where)
    )


def table(model: type[models.Model], using: str) -> str:
    """Return a table's name, quoted."""
    return connections[using].ops.quote_name(model._meta.db_table)


def column(model: type[models.Model], using: str, name: str) -> str:
    """Return the name of a field's column, quoted."""
    return connections[using].ops.quote_name(str(field(model, name).column))


def field(model: type[models.Model], name: str) -> Any:
    """Return a field by its name."""
    return model._meta.pk if name == "pk" else model._meta.get_field(name)


def given(model: type[models.Model]) -> list[Any]:
    """Return the fields of a new row, all but the key."""
    return [each for each in model._meta.concrete_fields if not each.primary_key]


def _columns(
    model: type[models.Model], using: str, names: Shape
) -> list[tuple[str, type]]:
    return [(column(model, using, name), kind) for name, kind in names]
