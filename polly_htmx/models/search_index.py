"""
The search index: what a database keeps so that search need not read every message.

PostgreSQL has an index over an expression. SQLite has a table of its full-text module,
which triggers fill. Where there is neither, chat.search reads the messages.

Only messages that are at rest are in it: a running reply is saved every second, and
its words would be indexed as often.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

TABLE = "polly_htmx_search"
"""SQLite's table. Its row ids are those of messages; titles have those of their
conversations, negative."""
INDEX = "polly_message_words"
CHARS = 100_000
"""So much of a message can be found: PostgreSQL refuses rows with too many words."""
RESTING = "status NOT IN ('pending', 'streaming', 'waiting')"

# Else a word within an address would not be found: PostgreSQL takes those whole.
WORDS = f"to_tsvector('simple', translate(left(content, {CHARS}), './@_-:<>&=+~?#*', '{' ' * 15}'))"
"""The expression of PostgreSQL's index. A query must say just the same."""

_TRIGGERS = {
    "polly_search_message_new": f"""
        AFTER INSERT ON polly_htmx_message WHEN NEW.{RESTING} BEGIN
            INSERT INTO {TABLE}(rowid, content)
                VALUES (NEW.id, substr(NEW.content, 1, {CHARS}));
        END""",
    "polly_search_message_changed": f"""
        AFTER UPDATE OF content, status ON polly_htmx_message
        WHEN NEW.{RESTING}
            AND (OLD.content <> NEW.content OR OLD.status <> NEW.status) BEGIN
            DELETE FROM {TABLE} WHERE rowid = NEW.id;
            INSERT INTO {TABLE}(rowid, content)
                VALUES (NEW.id, substr(NEW.content, 1, {CHARS}));
        END""",
    "polly_search_message_gone": f"""
        AFTER DELETE ON polly_htmx_message BEGIN
            DELETE FROM {TABLE} WHERE rowid = OLD.id;
        END""",
    "polly_search_title_new": f"""
        AFTER INSERT ON polly_htmx_smartconversation WHEN NEW.title <> '' BEGIN
            INSERT INTO {TABLE}(rowid, content) VALUES (-NEW.id, NEW.title);
        END""",
    "polly_search_title_changed": f"""
        AFTER UPDATE OF title ON polly_htmx_smartconversation
        WHEN OLD.title <> NEW.title BEGIN
            DELETE FROM {TABLE} WHERE rowid = -NEW.id;
            INSERT INTO {TABLE}(rowid, content) VALUES (-NEW.id, NEW.title);
        END""",
    "polly_search_title_gone": f"""
        AFTER DELETE ON polly_htmx_smartconversation WHEN OLD.title <> '' BEGIN
            DELETE FROM {TABLE} WHERE rowid = -OLD.id;
        END""",
}

_FILL = (
    f"DELETE FROM {TABLE}",
    f"INSERT INTO {TABLE}(rowid, content)"
    f" SELECT id, substr(content, 1, {CHARS}) FROM polly_htmx_message WHERE {RESTING}",
    f"INSERT INTO {TABLE}(rowid, content)"
    " SELECT -id, title FROM polly_htmx_smartconversation WHERE title <> ''",
)


def install(connection: Any) -> None:
    """Make the index where it is not there yet; costs one look where it is."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE INDEX IF NOT EXISTS {INDEX} ON polly_htmx_message"
                f" USING gin (({WORDS})) WHERE {RESTING}"
            )
    elif connection.vendor == "sqlite" and has_fts5(connection):
        _install_sqlite(connection)


def remove(connection: Any) -> None:
    """Take the index away."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"DROP INDEX IF EXISTS {INDEX}")
        elif connection.vendor == "sqlite" and has_fts5(connection):
            for name in _TRIGGERS:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
            cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")


def has_fts5(connection: Any) -> bool:
    """Tell whether this SQLite has its full-text module."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sqlite_compileoption_used('ENABLE_FTS5')")
        return bool(cursor.fetchone()[0])


def is_installed(connection: Any) -> bool:
    """Tell whether SQLite's index is there and kept up."""
    return {TABLE, *_TRIGGERS} <= _present(connection)


def after_migrate(*, using: str, **_kwargs: Any) -> None:
    """
    See that SQLite's triggers are there, once migrations have run.

    Django changes a table there by making another and moving the rows, and what
    hung on the first goes with it.
    """
    connection = connections[using]
    # Only where the migration has made it: the rows may lie in another database.
    if connection.vendor == "sqlite" and TABLE in _present(connection):
        _install_sqlite(connection)


def _present(connection: Any) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE name LIKE 'polly_%'")
        return {name for (name,) in cursor.fetchall()}


def _install_sqlite(connection: Any) -> None:
    present = _present(connection)
    if {TABLE, *_TRIGGERS} <= present:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE VIRTUAL TABLE IF NOT EXISTS {TABLE} USING fts5("
            "content, columnsize=0, tokenize='unicode61 remove_diacritics 2')"
        )
        for name, body in _TRIGGERS.items():
            cursor.execute(f"CREATE TRIGGER IF NOT EXISTS {name} {body}")
        # What was written while there were no triggers.
        for statement in _FILL:
            cursor.execute(statement)
