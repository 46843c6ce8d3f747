"""Search: a person's own chats by words of their titles and messages."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any

from django.db import connections, router
from django.db.models import Max, Q

from polly_htmx import access
from polly_htmx.access import Who
from polly_htmx.chat import search_sql
from polly_htmx.chat.excerpts import UNSPACED, Parts, excerpt, marked
from polly_htmx.chat.search_sql import FOUND
from polly_htmx.markdown import clean_text
from polly_htmx.models import Message, SmartConversation, search_index

MAX_WORDS = 8
MAX_WORD_CHARS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A chat in which the words were found."""

    conversation: SmartConversation
    title: Parts
    excerpt: Parts
    """Around the first of the words in the newest message that has them all; empty
    where they are in the title alone."""


def search(text: str, *, who: Who) -> list[Found]:
    """
    Return a person's chats that have all the words, those with the newest hits first.

    A word counts where one begins with it. Only the person's own chats, archived ones
    too, deleted ones not. Without a letter or digit to look for there is nothing.
    Raises SignInRequired for nobody.
    """
    access.require_person(who)
    words = words_of(text)
    if not words or not who:
        return []
    hits = _hits(words, who)
    titled = _titled(words, who)
    keys = [*dict.fromkeys([*titled, *hits])][:FOUND]
    own = access.conversations_of(who).filter(pk__in=keys).select_related("parrot")
    rows = {row.pk: row for row in own.with_opening()}
    texts = _texts([hits[key] for key in keys if key in hits])
    return [
        Found(
            conversation=rows[key],
            title=marked(rows[key].label, words),
            excerpt=excerpt(texts.get(hits.get(key, 0), ""), words),
        )
        for key in keys
        if key in rows
    ]


def words_of(text: str) -> list[str]:
    """Return the words to look for, in lower case; what is no letter or digit parts."""
    letters = (
        each if unicodedata.category(each)[0] in "LMN" else " "
        for each in clean_text(text)[: MAX_WORDS * MAX_WORD_CHARS]
    )
    words = "".join(letters).lower().split()
    return [word[:MAX_WORD_CHARS] for word in dict.fromkeys(words)][:MAX_WORDS]


def _hits(words: list[str], who: Who) -> dict[int, int]:
    """Return the keys of conversations with the newest message that has the words."""
    connection = connections[router.db_for_read(Message)]
    if any(UNSPACED.search(word) for word in words):
        return _read_messages(words, who)
    if connection.vendor == "postgresql":
        return dict(_ask(connection, search_sql.POSTGRESQL, _tsquery(words), who))
    if connection.vendor == "sqlite" and search_index.is_installed(connection):
        return _sqlite_hits(connection, _match(words), who)
    return _read_messages(words, who)


def _sqlite_hits(connection: Any, wanted: str, who: Who) -> dict[int, int]:
    """Ask SQLite in the way that is quick for how common the words are, and how many
    chats the person has."""
    with connection.cursor() as cursor:
        cursor.execute(search_sql.SQLITE_COUNT, [wanted])
        is_common = cursor.fetchone()[0] == search_sql.NEWEST
    if not is_common:
        return dict(_ask(connection, search_sql.SQLITE_ALL, wanted, who))
    own = access.conversations_of(who).order_by()[: search_sql.FEW]
    if own.count() < search_sql.FEW:
        return dict(_ask(connection, search_sql.SQLITE_OF_FEW, wanted, who))
    found = dict(_ask(connection, search_sql.SQLITE_NEWEST, wanted, who))
    if len(found) == FOUND:
        return found
    return dict(_ask(connection, search_sql.SQLITE_ALL, wanted, who))


def _titled(words: list[str], who: Who) -> list[int]:
    """Return the keys of conversations whose title has the words."""
    connection = connections[router.db_for_read(SmartConversation)]
    is_spaced = not any(UNSPACED.search(word) for word in words)
    is_sqlite = connection.vendor == "sqlite"
    if is_sqlite and is_spaced and search_index.is_installed(connection):
        # Its own comparison knows upper and lower case of the Latin alphabet alone.
        rows = _ask(connection, search_sql.SQLITE_TITLES, _match(words), who)
        return [key for (key,) in rows]
    own = access.conversations_of(who).filter(_has_all("title", words))
    return list(own.newest_first().values_list("pk", flat=True)[:FOUND])


def _ask(connection: Any, sql: str, wanted: str, who: Who) -> list[Any]:
    name = connection.ops.quote_name
    field: Any = SmartConversation._meta.get_field("user" if who.user else "visitor")
    key = who.user.pk if who.user else who.visitor
    sql = sql.format(
        message=name(Message._meta.db_table),
        conversation=name(SmartConversation._meta.db_table),
        owner=name(field.column),
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [wanted, field.get_db_prep_value(key, connection)])
        return list(cursor.fetchall())


def _tsquery(words: Iterable[str]) -> str:
    """Return the words in the language of PostgreSQL's index."""
    return " & ".join(f"'{word}':*" for word in words)


def _match(words: Iterable[str]) -> str:
    """Return the words in the language of SQLite's index."""
    return " ".join(f'"{word}"*' for word in words)


def _read_messages(words: list[str], who: Who) -> dict[int, int]:
    """Find the words without an index, anywhere in a person's messages."""
    own = access.conversations_of(who)
    found = Message.objects.filter(_has_all("content", words), conversation__in=own)
    hits = found.order_by().values("conversation").annotate(hit=Max("pk"))
    return dict(hits.order_by("-hit").values_list("conversation", "hit")[:FOUND])


def _has_all(field: str, words: Iterable[str]) -> Q:
    return reduce(and_, (Q(**{f"{field}__icontains": word}) for word in words))


def _texts(keys: list[int]) -> dict[int, str]:
    found = Message.objects.filter(pk__in=keys)
    return dict(found.values_list("pk", "content"))
