"""``rag import`` with hostile archives: the first byte says what the rest of an input is.

0: a whole archive. 1: the manifest of one that is whole but for it. 2: changes to the store of a
library, three bytes of place and one of value each, under a manifest that is right. 3: the same by
SQL, three bytes a change: a statement that changes the schema, or a table, a column and a value.
"""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

from hashing_embedder import HashingEmbedder
from small_files import parts_of, zipped

from rag import Library
from rag.errors import RagError
from rag.maintenance import backup
from rag.maintenance.backup_format import MANIFEST, VERSION

_STORE = "library.db"
_ANY: Mapping[str, bytes] = {_STORE: b"no store", "files/a.txt": b"Words."}
_CHANGE, _CHANGE_BY_SQL = 4, 3
_SCHEMA = (
    "CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM document; END",
    "CREATE VIEW v AS SELECT * FROM document",
    "CREATE VIRTUAL TABLE v USING fts5(x)",
    "CREATE TABLE more (x)",
    "CREATE INDEX i ON passage (text)",
    "DROP TABLE feedback",
    "DROP TABLE removed",
    "DROP INDEX document_language",
    "ALTER TABLE piece ADD COLUMN g AS (passages * 2)",
    "ALTER TABLE document DROP COLUMN checksum",
    "ALTER TABLE encoding RENAME TO e",
    "ANALYZE",
    "DELETE FROM meta WHERE name <> 'format'",
    "DELETE FROM document",
    "DELETE FROM encoding",
    "PRAGMA application_id = 7",
)
_VALUES = (
    *("NULL", "0", "-1", "1", "2147483648", "4611686018427387904", "9223372036854775807"),
    *("9e999", "0.5", "''", "'a'", "'{}'", "'[]'", "'[[]]'", "'[[0, 9e99, 1]]'", "'[[1,2,3]]'"),
    *("'{\"date_from\": 1}'", "'/etc/passwd'", "'/a/../b'", "'https://a/b'", "x''", "x'ff'"),
    *("zeroblob(8)", "zeroblob(100000)", "CAST(x'ff' AS TEXT)", "char(0)", "'NaN'", "'2026-99-99'"),
    *("\"{column}\" || 'x'", '"{column}" + 1', 'substr("{column}", 2)', "printf('%9999d', 1)"),
)


def run(data: bytes) -> None:
    """Only documented errors, and a library that is there whole or not at all."""
    folder, archive = _place() / "library", _place() / "archive.zip"
    archive.write_bytes(_archive(data[:1], data[1:]))
    try:
        backup.import_archive(archive, folder, lambda *_: None)
    except RagError:
        assert not folder.exists(), "a library that was refused is there"
    else:
        _use(folder)
    assert {one.name for one in _place().iterdir()} <= {"library", "archive.zip"}, "left over"
    shutil.rmtree(folder, ignore_errors=True)


def _use(folder: Path) -> None:
    """What came in can be used, or it is said why not."""
    with suppress(RagError), Library.open(folder, embedder=HashingEmbedder()) as opened:
        for use in (
            lambda: opened.search("yak in Oslo"),
            lambda: opened.ask("What does the yak weigh?"),
            opened.documents,
            opened.report,
            opened.facets,
            opened.ratings,
            opened.status,
            opened.verify,
        ):
            with suppress(RagError):
                use()


def _changed_by_sql(store: bytes, changes: bytes) -> bytes:
    path = _place() / "store.db"
    path.write_bytes(store)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for at in range(0, len(changes) - _CHANGE_BY_SQL + 1, _CHANGE_BY_SQL):
            kind, which, value = changes[at : at + _CHANGE_BY_SQL]
            statement = _SCHEMA[which % len(_SCHEMA)]
            if kind % 4:
                table, column = _columns()[which % len(_columns())]
                new = _VALUES[value % len(_VALUES)].replace("{column}", column)
                statement = f'UPDATE {table} SET "{column}" = {new}'  # noqa: S608
            with suppress(sqlite3.Error):
                connection.execute(statement)
    changed = path.read_bytes()
    path.unlink()
    return changed


@functools.cache
def _columns() -> list[tuple[str, str]]:
    """Each table of a store with each of its columns."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(library()[_STORE])
        return connection.execute(
            "SELECT t.name, c.name FROM pragma_table_list AS t, pragma_table_info(t.name) AS c"
            " WHERE t.type = 'table' AND t.name NOT IN ('sqlite_schema', 'sqlite_temp_schema')"
        ).fetchall()


def _archive(kind: bytes, rest: bytes) -> bytes:
    if kind == b"\1":
        return zipped({**_ANY, MANIFEST: rest})
    if kind == b"\2":
        store = bytearray(library()[_STORE])
        for at in range(0, len(rest) - _CHANGE + 1, _CHANGE):
            store[int.from_bytes(rest[at : at + 3]) % len(store)] = rest[at + 3]
        return _whole({**library(), _STORE: bytes(store)})
    if kind == b"\3":
        return _whole({_STORE: _changed_by_sql(library()[_STORE], rest)})
    return rest


def _whole(members: Mapping[str, bytes]) -> bytes:
    return zipped({**members, MANIFEST: manifest(members)})


def manifest(members: Mapping[str, bytes], version: object = VERSION) -> bytes:
    """What an archive of these members says of itself."""
    told = {
        name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in members.items()
    }
    return json.dumps({"version": version, "folder": "/a", "members": told}).encode()


@functools.cache
def _place() -> Path:
    return Path(tempfile.mkdtemp(prefix="rag-fuzz-"))


@functools.cache
def library() -> Mapping[str, bytes]:
    """A library of one document, without indexes."""
    folder = Path(tempfile.mkdtemp(prefix="rag-fuzz-"))
    (folder / "a.txt").write_text("The yak in the Oslo zoo weighs 1161 grams.")
    with Library.open(folder / "library", embedder=HashingEmbedder()) as library:
        library.index(folder / "a.txt")
    backup.export(folder / "library", folder / "a.zip", lambda *_: None)
    return {_STORE: parts_of((folder / "a.zip").read_bytes())[_STORE]}


SEEDS = [
    b"\0" + _whole(_ANY),
    b"\0" + _whole({**_ANY, "../a": b"", "files/../b": b"", "words/meta.json": b"{}"}),
    b"\1" + manifest(_ANY),
    b"\1" + manifest(_ANY, version=1e999),
    b"\1[" * 99,
    b"\2",
    *(b"\3" + bytes([0, number, 0]) for number in range(len(_SCHEMA))),
    *(b"\3" + bytes([1, number, 7 * number % 256]) for number in range(64)),
    *(b"\2" + at.to_bytes(3) + b"\xff" for at in (0, 18, 28, 100, 5000, 9000, 20000)),
]
