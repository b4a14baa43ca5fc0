"""Libraries as earlier versions made them: each step taken back, by SQL."""

from __future__ import annotations

import sqlite3
from pathlib import Path

_BACK = {
    6: (
        "DROP INDEX document_language",
        "ALTER TABLE document DROP COLUMN language",
        "CREATE INDEX document_language ON document (metadata ->> '$.language')",
    ),
    5: (
        "ALTER TABLE document DROP COLUMN checksum",
        "ALTER TABLE passage DROP COLUMN checksum",
    ),
    4: (
        "DROP INDEX document_language",
        "DELETE FROM meta WHERE name = 'sentences'",
        "ALTER TABLE removed ADD COLUMN sentences INTEGER NOT NULL DEFAULT 1",
    ),
    3: ("DROP TABLE feedback",),
    2: ("DROP INDEX passage_content", "ALTER TABLE passage DROP COLUMN content"),
}
"""What leads from a format to the one before."""


def take_back(library: Path, format_: int) -> None:
    """Let a library be of an earlier format."""
    connection = sqlite3.connect(library / "library.db")
    with connection:
        for step in range(max(_BACK), format_, -1):
            for statement in _BACK[step]:
                connection.execute(statement)
        connection.execute("UPDATE meta SET value = ? WHERE name = 'format'", (str(format_),))
    connection.close()


def tables(library: Path) -> dict[str, list[tuple[object, ...]]]:
    """The columns of each table, and the indexes, by name."""
    connection = sqlite3.connect(library / "library.db")
    names = connection.execute("SELECT name FROM sqlite_schema ORDER BY name").fetchall()
    found = {
        name: sorted(row[1:] for row in connection.execute(f"PRAGMA table_info({name})"))
        for (name,) in names
    }
    connection.close()
    return found
