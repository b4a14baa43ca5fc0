"""Validate an untrusted SQLite file: could this version have written it?

It may be malicious, so nothing in it is trusted: neither its pages, nor its schema, nor the types
of its values, nor its paths. Its contents are checked by :mod:`rag.index.sqlite.store_check`.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import PurePath, PurePosixPath, PureWindowsPath

from rag.errors import LibraryDamaged
from rag.index.integrity import SHAPES, fits
from rag.index.sqlite.database import Database, schema
from rag.index.sqlite.store_check import StoreCheck
from rag.runtime.files import is_url

LONGEST_TITLE = 1_000

HIGHEST_KEY = 2**32
"""Maximum key of a document or passage: filters are bitmaps over keys, which costs memory."""

LONGEST_NOTE = 64_000_000
"""Maximum characters of a value in ``meta``."""

_LARGEST = 2**62
"""Maximum count or generation, which must be able to grow."""

_CONDITIONS = {
    "document": ((f"length(title) > {LONGEST_TITLE}", "a title that is too long"),),
    "feedback": (
        ("NOT is_time(time)", "an invalid time"),
        ("good NOT IN (0, 1)", "a rating that is neither good nor bad"),
        ("score NOT BETWEEN 0 AND 1", "an invalid score"),
        ('start < 0 OR "end" < start', "an invalid place"),
    ),
    "piece": (
        ("passages NOT BETWEEN 0 AND (SELECT count(*) FROM passage)", "a wrong number of passages"),
    ),
}
"""Invalid rows, as an SQL condition and a description."""

_TYPES = {"TEXT": "'text'", "INTEGER": "'integer'", "BLOB": "'blob'", "REAL": "'real', 'integer'"}


def validate(database: Database, folder: PurePath, on_progress: Callable[[int, int], None]) -> int:
    """Refuse a store that rag can't have written, exported from the library in ``folder``.

    Returns the dimension of the sentence vectors; 0 if there are none. Raises LibraryDamaged, or
    LibraryMismatch for another version.
    """
    try:
        database.check(database.fact("fingerprint"))
        fault = next(_faults(database, folder), None)
        dimension = _dimension(database) if fault is None else 0
        database.dimension = dimension
        fault = fault or next(_content_faults(database, on_progress), None)
    except (sqlite3.Error, ValueError, TypeError, LookupError, OverflowError) as error:
        # Without SQLite's message, which may quote a document.
        raise LibraryDamaged("it holds values that rag never writes") from error
    except RecursionError as error:
        raise LibraryDamaged("it holds JSON that is nested too deeply") from error
    if fault is not None:
        raise LibraryDamaged(fault)
    return dimension


def _faults(database: Database, folder: PurePath) -> Iterator[str]:
    database.execute("PRAGMA cell_size_check = ON")
    for pragma, expected in (("encoding", "UTF-8"), ("application_id", 0), ("user_version", 0)):
        found = database.value(f"PRAGMA {pragma}")
        if found != expected:
            yield f"its {pragma} is {found}, not {expected}"
    yield from _schema_faults(database)
    yield from (fault.what for fault in StoreCheck(database).structure())
    yield from _value_faults(database)
    yield from _fact_faults(database)
    yield from _place_faults(database, folder)


def _content_faults(database: Database, on_progress: Callable[[int, int], None]) -> Iterator[str]:
    check = StoreCheck(database)
    for fault in check.documents(on_progress):
        yield f"of document {fault.document}: {fault.what}"
    yield from (fault.what for fault in (*check.orphans(), *check.counts()))


def _schema_faults(database: Database) -> Iterator[str]:
    with closing(sqlite3.connect(":memory:")) as expected:
        expected.executescript(schema())
        ours = _normalise(expected)
    theirs = _normalise(database.connection)
    for kind, name in sorted(theirs.keys() - ours.keys()):
        yield f"it has {kind} “{name}”, which no rag library has"
    for kind, name in sorted(ours.keys() - theirs.keys()):
        yield f"it lacks {kind} “{name}”"
    for kind, name in sorted(ours):
        if ours[kind, name] != theirs[kind, name]:
            yield f"its {kind} “{name}” is not the one that rag makes"


def _normalise(connection: sqlite3.Connection) -> dict[tuple[str, str], object]:
    """The schema by kind and name, without comments and differences of whitespace."""
    return {
        (kind, name): (table, _bare(sql or ""))
        for kind, name, table, sql in connection.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_schema"
        )
    }


def _bare(sql: str) -> list[str]:
    # A “--” in quotes can't hide anything: the quote before it stays, and our schema has none.
    return re.sub(r"--[^\n]*", "", sql).split()


def _value_faults(database: Database) -> Iterator[str]:
    """Values of another type than their column's: SQLite accepts any value in any column."""
    connection = database.connection
    tables = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    connection.create_function("is_time", 1, _is_time, deterministic=True)
    for (table,) in tables:
        wrong: list[tuple[str, str]] = []
        for _, column, kind, required, _, key in connection.execute(f"PRAGMA table_info({table})"):
            types = _TYPES[kind] + ("" if required or key else ", 'null'")
            wrong.append((f'typeof("{column}") NOT IN ({types})', f"another type of {column}"))
            if kind == "REAL":
                wrong.append((f'abs("{column}") > 1e300', f"a {column} that is not finite"))
        for column, shape in SHAPES.get(table, {}).items():
            name = f"fits_{column}"
            connection.create_function(name, 1, partial(fits, shape=shape), deterministic=True)
            wrong.append((f"NOT {name}({column})", f"{column} that can't be read"))
        if table in {"document", "passage"}:
            wrong.append((f"key NOT BETWEEN 1 AND {HIGHEST_KEY}", "a key that rag never gives"))
        wrong += _CONDITIONS.get(table, ())
        # In this order: the later ones rely on the types.
        for condition, words in wrong:
            if database.value(f"SELECT 1 FROM {table} WHERE {condition} LIMIT 1"):  # noqa: S608
                yield f"its table “{table}” has a row with {words}"
    if database.value(
        "SELECT 1 FROM passage WHERE key NOT IN (SELECT passage FROM encoding) LIMIT 1"
    ):
        yield "it has a passage without vectors"
    if database.value(
        f"SELECT 1 FROM sqlite_sequence WHERE typeof(seq) <> 'integer' OR seq > {HIGHEST_KEY}"  # noqa: S608
    ):
        yield "it leaves no keys for further documents"


def _is_time(text: str) -> bool:
    try:
        return dt.datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _fact_faults(database: Database) -> Iterator[str]:
    for name in ("generation", "sentences"):
        value = database.fact(name)
        if not (value.isascii() and value.isdecimal() and int(value[:20]) < _LARGEST):
            yield f"its {name} is “{value[:50]}”"
    newest = database.value(
        "SELECT max((SELECT coalesce(max(generation), 0) FROM passage),"
        " (SELECT coalesce(max(generation), 0) FROM removed))"
    )
    if newest > int(database.fact("generation")):
        yield "it has passages of a future generation"
    if not re.fullmatch(r"[0-9a-f]{32}", database.fact("library")):
        yield "its id is not one that rag gives"
    for name, value in database.execute("SELECT name, value FROM meta"):
        numbers: list[str] = []
        with suppress(json.JSONDecodeError):  # then it is no JSON, and has no numbers
            json.loads(value, parse_constant=numbers.append, parse_float=numbers.append)
        is_finite = all(math.isfinite(float(number)) for number in numbers)
        # An id with digits around an “e” would parse as a number.
        if len(value) > LONGEST_NOTE or (name != "library" and not is_finite):
            yield f"what it says of its {name} makes no sense"


def _place_faults(database: Database, folder: PurePath) -> Iterator[str]:
    for (file,) in database.execute("SELECT path FROM file UNION SELECT file FROM source"):
        if not _is_place(file, folder):
            yield f"it names a file “{file}”, which no rag library does"
    for path, file in database.execute("SELECT path, file FROM source"):
        if path != file and not path.startswith((f"{file}/", f"{file}\\")):
            yield f"its source “{path}” does not lie in “{file}”"


def _is_place(file: str, folder: PurePath) -> bool:
    """Whether a file can have been indexed: it has an absolute path or a URL, and is not one of the
    library's own files, other than an upload.
    """
    if "\0" in file:
        return False
    if is_url(file):
        return True
    path = as_path(file)
    if not path.is_absolute() or ".." in path.parts:
        return False
    return not path.is_relative_to(folder) or path.is_relative_to(folder / "files")


def as_path(text: str) -> PurePath:
    """A path of the operating system that it comes from."""
    posix = PurePosixPath(text)
    return posix if posix.is_absolute() else PureWindowsPath(text)


def _dimension(database: Database) -> int:
    row = database.execute(
        "SELECT length(vectors), length(sentences) FROM encoding"
        " JOIN passage ON passage.key = encoding.passage LIMIT 1"
    ).fetchone()
    if row is None:
        return 0
    sentences, rest = divmod(row[1], 8)  # two int32 each
    if rest or not sentences or not row[0] or row[0] % (2 * sentences):  # float16
        raise LibraryDamaged("its numbers of vectors and sentences differ")
    return int(row[0] // (2 * sentences))
