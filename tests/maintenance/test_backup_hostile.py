"""Archives that somebody made to do harm: refused in words, before anything has its name."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
import zipfile
from pathlib import Path

import pytest
from hashing_embedder import HashingEmbedder

from rag import InputError, Library, LibraryDamaged, LibraryMismatch
from rag.index.columns import DOCUMENT, checksum
from rag.index.sqlite.writer import PASSAGE
from rag.maintenance import backup
from rag.maintenance.backup_format import VERSION

SIGNED = "-- signed"
"""Ends statements after which the checksums are made to match, as a stranger could."""

STRANGERS = {
    "trigger": "CREATE TRIGGER t AFTER UPDATE ON meta BEGIN DELETE FROM document; END",
    "trigger on a note": "CREATE TRIGGER t BEFORE INSERT ON file BEGIN SELECT 1; END",
    "view": "CREATE VIEW v AS SELECT * FROM document",
    "view in place of a table": "ALTER TABLE piece RENAME TO p; CREATE VIEW piece AS SELECT * FROM"
    " p",
    "virtual table": "CREATE VIRTUAL TABLE v USING fts5(text)",
    "unknown table": "CREATE TABLE more (x)",
    "missing table": "DROP TABLE feedback",
    "unknown index": "CREATE INDEX i ON passage (text)",
    "missing index": "DROP INDEX passage_content",
    "partial index": "DROP INDEX file_digest; CREATE INDEX file_digest ON file (digest) WHERE 0",
    "index with a call": "DROP INDEX file_digest;"
    " CREATE INDEX file_digest ON file (json_quote(digest))",
    "unknown column": "ALTER TABLE passage ADD COLUMN more TEXT",
    "missing column": "ALTER TABLE passage DROP COLUMN leading",
    "generated column": "ALTER TABLE piece ADD COLUMN g AS (passages * 2)",
    "default": "ALTER TABLE piece ADD COLUMN d TEXT DEFAULT 'x'",
    "check": "CREATE TABLE r (passage INTEGER PRIMARY KEY, generation INTEGER NOT NULL CHECK (1));"
    " DROP TABLE removed; ALTER TABLE r RENAME TO removed;"
    " CREATE INDEX removed_generation ON removed (generation)",
    "statistics": "ANALYZE",
    "application": "PRAGMA application_id = 1",
    "version": "PRAGMA user_version = 7",
    "no facts": "DELETE FROM meta",
    "no fingerprint": "DELETE FROM meta WHERE name = 'fingerprint'",
    "no library id": "UPDATE meta SET value = '../x' WHERE name = 'library'",
    "huge generation": "UPDATE meta SET value = '9223372036854775807' WHERE name = 'generation'",
    "other digits": "UPDATE meta SET value = '٣' WHERE name = 'generation'",
    "negative sentences": "UPDATE meta SET value = '-5' WHERE name = 'sentences'",
    "generation to come": "UPDATE passage SET generation = 1000000",
    "infinite note": "INSERT OR REPLACE INTO meta VALUES ('calibration', '{\"slope\": 1e999}')",
    "nan note": "INSERT OR REPLACE INTO meta VALUES ('calibration', '{\"slope\": NaN}')",
    "deep note": "INSERT INTO meta VALUES ('check', '" + "[" * 100_000 + "')",
    "blob note": "INSERT INTO meta VALUES ('check', x'00ff')",
    "newer format": "UPDATE meta SET value = '7' WHERE name = 'format'",
    "format of many digits": "UPDATE meta SET value = hex(zeroblob(5000)) WHERE name = 'format'",
    "model": "INSERT INTO meta VALUES ('model', '{}')",
    "blob for text": "UPDATE document SET title = x'ff'",
    "text that is no UTF-8": "UPDATE document SET title = CAST(x'ff' AS TEXT)",
    "text for number": "UPDATE passage SET start = 'zero'",
    "infinite number": "UPDATE file SET seconds = 9e999",
    "no JSON": "UPDATE document SET metadata = '{'",
    "other JSON": "UPDATE document SET headings = '{}'",
    "unknown failure": """UPDATE file SET failures = '[["/a", "reason", "x"]]'""",
    "huge key": "UPDATE source SET document = 4611686018427387904 WHERE document = 1;"
    " UPDATE passage SET document = 4611686018427387904 WHERE document = 1;"
    " UPDATE document SET key = 4611686018427387904 WHERE key = 1",
    "no keys left": "UPDATE sqlite_sequence SET seq = 9223372036854775807",
    "nothing referred to": "DELETE FROM document",
    "no date": "UPDATE document SET date = '2026-99-99'",
    "29 February 2023": "UPDATE document SET date = '2023-02-29'; -- signed",
    "the year 0": "UPDATE document SET date = '0000-01-01'; -- signed",
    "a date without dashes": "UPDATE document SET date = '20240101'; -- signed",
    "a date of no letters": "UPDATE document SET date = ''; -- signed",
    "fewer labels than pages": (
        "UPDATE document SET pages = '[[0, 2], [2, 4]]', page_labels = '[\"i\"]'; -- signed"
    ),
    "negative counts": "UPDATE piece SET passages = -1",
    "sentences cut": "UPDATE passage SET sentences = x'ff'",
    "no vectors": "DELETE FROM encoding",
    "vectors cut": "UPDATE encoding SET vectors = substr(vectors, 1, 9)",
    "vectors of nothing": "UPDATE encoding SET vectors = zeroblob(length(vectors))",
    "vectors not finite": "UPDATE encoding SET vectors = CAST(replace(hex(zeroblob(64)), '00',"
    " char(0x7f)) AS BLOB)",
    "relative file": "UPDATE file SET path = 'etc/passwd' || path",
    "file above": "UPDATE source SET file = '/a/..' || file, path = '/a/..' || path",
    "file with a NUL": "UPDATE source SET file = file || char(0), path = path || char(0)",
    "source elsewhere": "UPDATE source SET path = '/etc/passwd' || path",
    "the library's own": "UPDATE source SET file = (SELECT replace(file, '/files/', '/words/'))",
    "another hash of a passage": "UPDATE passage SET content = content + 1",
    "another text": "UPDATE document SET text = text || ' changed'",
    "another end of a passage": 'UPDATE passage SET "end" = "end" - 1',
    "warnings of numbers": "UPDATE document SET warnings = '[5, {\"a\": 1}]'; -- signed",
    "pages of letters": "UPDATE document SET pages = '[[\"x\"]]'; -- signed",
    "a heading beyond the text": ("UPDATE document SET headings = '[[0, 99999999, 1]]'; -- signed"),
    "facts that are no text": "UPDATE document SET metadata = '{\"author\": [1]}'; -- signed",
    "a passage's pages": "UPDATE passage SET pages = '[\"a\"]'; -- signed",
    "a passage's headings": "UPDATE passage SET headings = '[{\"a\": 2}]'; -- signed",
    "a passage before the text": "UPDATE passage SET start = -4; -- signed",
    "tokens without bits": "UPDATE encoding SET bits = x''; -- signed",
    "unknown word pieces": (
        "UPDATE encoding SET pieces = replace(hex(zeroblob(length(pieces))), '00', char(255));"
        " -- signed"
    ),
    "a rating at no time": (
        "INSERT INTO feedback VALUES ('q', 'p', 'd', 's', 'x', 0, 1, 1, 0.5, 'not a time')"
    ),
    "a rating of 7": (
        "INSERT INTO feedback VALUES ('q', 'p', 'd', 's', 'x', 0, 1, 7, 0.5,"
        " '2026-01-01T00:00:00+00:00')"
    ),
    "a title of a megabyte": ("UPDATE document SET title = hex(zeroblob(500000)); -- signed"),
    "an id that is a path": "UPDATE document SET id = '../../x' WHERE key = 1; -- signed",
    "an id in HTML": "UPDATE document SET id = '\"><script>x' WHERE key = 1; -- signed",
    "an id of a digest that is none": (
        "UPDATE document SET id = substr('../../' || id, 1, 20), digest = '../../' || digest;"
        " -- signed"
    ),
    "an id of a part that there is not": (
        "UPDATE document SET metadata = json_set(metadata, '$.parts_from', '.txt'); -- signed"
    ),
    "failures that are none": "UPDATE file SET failures = '[1]'",
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a small library that was sent a file."""
    place = tmp_path_factory.mktemp("archive")
    (place / "tanks.txt").write_text("The turret weighs four tons. It is from Ghent.")
    (place / "library" / "files").mkdir(parents=True)
    with Library.open(place / "new", embedder=HashingEmbedder()) as library:
        (place / "new" / "files").mkdir()
        (place / "new" / "files" / "sent.txt").write_text("Llamas carry wool. They spit.")
        library.index([place / "tanks.txt", place / "new" / "files" / "sent.txt"])
        library.rate("turret", library.search("turret")[0], good=True)
    backup.export(place / "new", place / "sound.zip", lambda *_: None)
    return place / "sound.zip"


def changed(archive: Path, target: Path, statements: str) -> Path:
    """The archive, with a store that was changed, under a manifest that is right."""
    with zipfile.ZipFile(archive) as sound:
        members = {name: sound.read(name) for name in sound.namelist() if name != "manifest.json"}
        manifest = json.loads(sound.read("manifest.json"))
    store = target / "store.db"
    store.write_bytes(members["library.db"])
    connection = sqlite3.connect(store, isolation_level=None)
    connection.executescript(statements)
    if statements.endswith(SIGNED):
        connection.create_function("checksum", -1, checksum)
        connection.execute(f"UPDATE document SET checksum = checksum({', '.join(DOCUMENT)})")  # noqa: S608
        names = ", ".join(f'"{name}"' for name in PASSAGE)
        connection.execute(
            f"UPDATE passage SET checksum = (SELECT checksum({names})"  # noqa: S608
            " FROM encoding WHERE encoding.passage = passage.key)"
        )
    connection.close()
    members["library.db"] = store.read_bytes()
    store.unlink()
    return rezipped(members, manifest["folder"], target / "hostile.zip")


def rezipped(members: dict[str, bytes], folder: object, target: Path) -> Path:
    """An archive of these members."""
    told = {
        name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in members.items()
    }
    with zipfile.ZipFile(target, "w") as out:
        for name, content in members.items():
            out.writestr(name, content)
        out.writestr(
            "manifest.json", json.dumps({"version": VERSION, "folder": folder, "members": told})
        )
    return target


def refused(hostile: Path, place: Path) -> str:
    """What is said, with nothing left; the folder that was to be filled, which is there, stays."""
    folder = place / "target"
    folder.mkdir()
    before = set(place.rglob("*"))
    with pytest.raises((LibraryDamaged, LibraryMismatch)) as error:
        backup.import_archive(hostile, folder, lambda *_: None)
    assert set(place.rglob("*")) == before
    return str(error.value)


@pytest.mark.parametrize("statements", STRANGERS.values(), ids=STRANGERS)
def test_a_store_that_rag_did_not_write(archive: Path, tmp_path: Path, statements: str) -> None:
    """Whatever differs from what an export writes: refused, and no draft is left."""
    said = refused(changed(archive, tmp_path, statements), tmp_path)
    assert re.search(
        r"hostile\.zip (is damaged: its store can't be used|was made by another version of rag) "
        r"\(.+\); (use another copy|index again)$",
        said,
    )
    assert ".rag-import" not in said


def test_pages_out_of_order(archive: Path, tmp_path: Path) -> None:
    """A tree of the store leads to a page of another, and the header claims millions of pages."""
    with zipfile.ZipFile(archive) as sound:
        store = bytearray(sound.read("library.db"))
    for number, (at, value) in enumerate([(28, 2**31 - 1), (32, 3), (8192 * 3 + 5, 0)]):
        harmed = bytearray(store)
        harmed[at : at + 4] = value.to_bytes(4)
        place = tmp_path / str(number)
        place.mkdir()
        refused(rezipped({"library.db": bytes(harmed)}, "/a", place / "hostile.zip"), place)


@pytest.mark.parametrize(
    "folder", ["", ".", "relative", "/", "/a/../b", 5, None, {"a": 1}], ids=repr
)
def test_a_folder_that_is_none(archive: Path, tmp_path: Path, folder: object) -> None:
    """Where the library was decides only which paths are moved: it comes in, or it is refused."""
    with zipfile.ZipFile(archive) as sound:
        members = {name: sound.read(name) for name in sound.namelist() if name != "manifest.json"}
    hostile = rezipped(members, folder, tmp_path / "hostile.zip")
    try:
        backup.import_archive(hostile, tmp_path / "new", lambda *_: None)
    except (LibraryDamaged, InputError):
        assert not (tmp_path / "new").exists()
    else:
        with Library.open(tmp_path / "new", embedder=HashingEmbedder()) as library:
            assert library.search("turret")[0].source.endswith("/tanks.txt")


@pytest.mark.parametrize(
    "name",
    [
        *("../evil", "files/../../evil", "/tmp/evil", "evil", "words/../../evil"),  # noqa: S108
        "words/meta.json",
        "vectors-1.faiss",
        "published.json",
        "lock",
        "library.db-wal",
        "library.db/x",
        "files",
        "files/",
        "files/" + "x" * 256,
        "files/\0",
    ],
)
def test_members_that_an_export_does_not_write(archive: Path, tmp_path: Path, name: str) -> None:
    """Indexes among them, which FAISS and tantivy would trust."""
    with zipfile.ZipFile(archive) as sound:
        members = {"library.db": sound.read("library.db"), name: b"evil"}
    hostile = rezipped(members, "/a", tmp_path / "hostile.zip")
    assert "doesn't belong in a library" in refused(hostile, tmp_path) or "\0" in name


def test_a_model_that_came_along(archive: Path, tmp_path: Path) -> None:
    """Loading a model can run code of its folder: none is loaded from where others send files."""
    model = {
        "name": str(tmp_path / "target" / "files"),
        "sha256": "0" * 64,
        "dimension": 64,
        "window": 50,
        "late": False,
        "pooling": "mean",
        "languages": [],
        "plain": False,
    }
    fingerprint = "files 0000000000000000 64 50 alone-mean sign-bits"
    statements = (
        f"INSERT INTO meta VALUES ('model', '{json.dumps(model)}');"  # noqa: S608
        f"UPDATE meta SET value = '{fingerprint}' WHERE name = 'fingerprint'"
    )
    said = refused(changed(archive, tmp_path, statements), tmp_path)
    assert "names a model that lies in the library's own folder" in said
    elsewhere = statements.replace("/target/files", "/elsewhere/files")
    found = backup.import_archive(
        changed(archive, tmp_path, elsewhere), tmp_path / "new", lambda *_: None
    )
    assert found.documents == 2
    # Nor is one whose name leads there from where somebody stands.
    shutil.move(tmp_path / "new", tmp_path / "elsewhere")
    with pytest.raises(LibraryDamaged, match="names a model that lies in the library's own"):
        Library.open(tmp_path / "elsewhere")


@pytest.mark.parametrize("kind", ["trigger", "view", "virtual table"])
def test_a_folder_with_code_in_it_is_not_opened(archive: Path, tmp_path: Path, kind: str) -> None:
    """A library's folder may come from a stranger, too."""
    backup.import_archive(archive, tmp_path / "new", lambda *_: None)
    connection = sqlite3.connect(tmp_path / "new" / "library.db", isolation_level=None)
    connection.execute(STRANGERS[kind])
    connection.close()
    with pytest.raises(LibraryDamaged, match="that no rag library has"):
        Library.open(tmp_path / "new", embedder=HashingEmbedder())
