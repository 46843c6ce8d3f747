"""Reading: queries for one row, and for the rows that its foreign keys lead to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connections, models

from polly_htmx.statements import words
from polly_htmx.statements.words import Shape


@dataclass(frozen=True, slots=True)
class Part:
    """The columns of one table in a row of several."""

    model: type[models.Model]
    key: str
    """The foreign key that leads to it; "" for the first."""
    names: tuple[str, ...]
    place: slice


@dataclass(frozen=True, slots=True)
class Query:
    """A query for one row, and how it becomes instances."""

    sql: str
    using: str
    parts: tuple[Part, ...]
    converted: tuple[tuple[int, Any], ...]
    """Where in a row there is what the database has in a shape of its own."""

    def read(self, values: list[Any]) -> Any:
        """Return the row's instance, which knows those beside it; None for no row."""
        connection: Any = connections[self.using]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, values)
            row = cursor.fetchone()
        if row is None:
            return None
        row = list(row)
        for place, column in self.converted:
            for convert in _converters(column, connection):
                row[place] = convert(row[place], column, connection)
        found, *others = (
            part.model.from_db(self.using, part.names, row[part.place])
            for part in self.parts
        )
        for part, other in zip(self.parts[1:], others, strict=True):
            setattr(found, part.key, other)
        return found


@cache
def query(
    model: type[models.Model],
    using: str,
    where: Shape,
    beside: tuple[str, ...],
    last_by: str,
) -> Query:
    """
    Return the query for one of the rows that have some values.

    ``beside`` are foreign keys, never NULL, to other tables; with ``last_by`` it is the
    row that has the greatest value in that column.
    """
    models_ = [model, *(words.field(model, key).related_model for key in beside)]
    columns = [
        (each, field) for each in models_ for field in each._meta.concrete_fields
    ]
    names = ", ".join(
        f"{words.table(each, using)}.{words.column(each, using, field.name)}"
        for each, field in columns
    )
    order = f" ORDER BY {words.column(model, using, last_by)} DESC" if last_by else ""
    joined = "".join(_join(model, using, key) for key in beside)
    sql = (
        f"SELECT {names} FROM {words.table(model, using)}{joined}"  # noqa: S608
        f" WHERE {words.condition(model, using, where)}{order} LIMIT 1"
    )
    found = [field.get_col(each._meta.db_table) for each, field in columns]
    connection = connections[using]
    return Query(
        sql=sql,
        using=using,
        parts=tuple(_parts(zip(models_, ("", *beside), strict=True))),
        converted=tuple(
            (place, column)
            for place, column in enumerate(found)
            if _converters(column, connection)
        ),
    )


def _parts(tables: Iterable[tuple[type[models.Model], str]]) -> Iterable[Part]:
    start = 0
    for model, key in tables:
        names = tuple(field.attname for field in model._meta.concrete_fields)
        yield Part(model, key, names, slice(start, start + len(names)))
        start += len(names)


def _join(model: type[models.Model], using: str, key: str) -> str:
    other: Any = words.field(model, key).related_model
    from_, to = words.table(model, using), words.table(other, using)
    own, its = words.column(model, using, key), words.column(other, using, "pk")
    return f" JOIN {to} ON {to}.{its} = {from_}.{own}"


def _converters(column: Any, connection: Any) -> list[Any]:
    """Return what Django's own queries make of a column's value, step by step."""
    found = connection.ops.get_db_converters(column)
    return [*found, *column.get_db_converters(connection)]
