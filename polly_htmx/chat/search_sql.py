"""
The statements of the search, over the index that a database keeps.

Written by hand, for no other order of joining is fast: from the index to the messages,
or from a person's messages to the index. All values are bound.
"""

from __future__ import annotations

from polly_htmx.models import search_index

FOUND = 30
"""Chats that are shown at the most: who needs more needs another word."""
NEWEST = 10_000
"""Messages with a common word that SQLite looks at first. FTS5 hands them out from the
newest on without sorting, and who they belong to is what takes the time."""

FEW = 300
"""Chats of one person that are quicker looked through themselves for a common word."""

_INDEX = search_index.TABLE
_OWN = "c.{owner} = %s AND c.deleted_at IS NULL"
_BY_CHAT = f"GROUP BY m.conversation_id ORDER BY hit DESC LIMIT {FOUND}"

POSTGRESQL = f"""
    WITH m AS MATERIALIZED (
        SELECT id, conversation_id FROM {{message}}
        WHERE {search_index.WORDS} @@ to_tsquery('simple', %s)
            AND {search_index.RESTING}
    )
    SELECT m.conversation_id, MAX(m.id) AS hit
    FROM m JOIN {{conversation}} c ON c.id = m.conversation_id
    WHERE {_OWN} {_BY_CHAT}
"""
SQLITE_NEWEST = f"""
    SELECT m.conversation_id, MAX(m.id) AS hit
    FROM (
        SELECT rowid AS id FROM {_INDEX}
        WHERE {_INDEX} MATCH %s AND rowid > 0 ORDER BY rowid DESC LIMIT {NEWEST}
    ) s
    CROSS JOIN {{message}} m ON m.id = s.id
    JOIN {{conversation}} c ON c.id = m.conversation_id
    WHERE {_OWN} {_BY_CHAT}
"""
SQLITE_COUNT = f"""
    SELECT COUNT(*) FROM (
        SELECT 1 FROM {_INDEX} WHERE {_INDEX} MATCH %s AND rowid > 0 LIMIT {NEWEST}
    )
"""
SQLITE_ALL = f"""
    SELECT m.conversation_id, MAX(m.id) AS hit
    FROM {_INDEX} s
    CROSS JOIN {{message}} m ON m.id = s.rowid
    JOIN {{conversation}} c ON c.id = m.conversation_id
    WHERE {_INDEX} MATCH %s AND s.rowid > 0 AND {_OWN} {_BY_CHAT}
"""
# The plus keeps SQLite from going through the index.
SQLITE_OF_FEW = f"""
    SELECT m.conversation_id, MAX(m.id) AS hit
    FROM {{conversation}} c
    CROSS JOIN {{message}} m ON m.conversation_id = c.id
    WHERE +m.id IN (SELECT rowid FROM {_INDEX} WHERE {_INDEX} MATCH %s AND rowid > 0)
        AND {_OWN} {_BY_CHAT}
"""
SQLITE_TITLES = f"""
    SELECT c.id
    FROM {_INDEX} s
    CROSS JOIN {{conversation}} c ON c.id = -s.rowid
    WHERE {_INDEX} MATCH %s AND s.rowid < 0 AND {_OWN}
    ORDER BY c.updated_at DESC, c.id DESC LIMIT {FOUND}
"""
