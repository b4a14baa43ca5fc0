"""What one library had encoded is there for all others; and a cache never stands in the way."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hashing_embedder import HashingEmbedder
from typer.testing import CliRunner

from rag import IndexReport, InputError, Library, Progress, cache
from rag.cache import EncodingCache, content_digest
from rag.cli import app
from rag.embedding import SentenceTransformerEmbedder
from rag.types import Passage, PassageEncoding, Span

# Too few sentences for a library to be calibrated by, which would take longer than all else.
TEXTS = {f"{n}.txt": f"River {n} runs past town {n}. Barges carry coal." for n in range(14)}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own, switched on."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.delenv("RAG_CACHE_LIMIT")
    return cache.status().path


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """A folder of short texts."""
    folder = tmp_path / "texts"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    return folder


class CountingEmbedder(HashingEmbedder):
    """Knows how many passages it has encoded."""

    def __init__(self) -> None:
        self.count = 0

    def passages(self, passages: Sequence[Passage]) -> Iterator[PassageEncoding]:
        for one in super().passages(passages):
            self.count += 1
            yield one


def indexed(
    library: Path, paths: Path | Sequence[Path], *, keep: bool = True
) -> tuple[IndexReport, dict[str, tuple[bytes, ...]]]:
    """What indexing into a new library reports, and what it then has of each text."""
    with Library.open(library, embedder=HashingEmbedder()) as opened:
        report = opened.index(paths, cache=keep)
    return report, held(library)


def held(library: Path) -> dict[str, tuple[bytes, ...]]:
    """The bytes that a library has of each text."""
    with sqlite3.connect(library / "library.db") as connection:
        rows = connection.execute(
            "SELECT text, vectors, counts, pieces, bits FROM passage"
            " JOIN encoding ON encoding.passage = passage.key"
        ).fetchall()
    return {row[0]: row[1:] for row in rows}


def the_file(folder: Path) -> Path:
    """The file of the cache."""
    (found,) = folder.glob("*.db")
    return found


def test_a_second_library_needs_no_model(
    tmp_path: Path, articles: Path, embedder: SentenceTransformerEmbedder
) -> None:
    """It has the same bytes of vectors and bits as the first, and nothing was embedded."""
    reports = []
    for name in ("first", "second"):
        with Library.open(tmp_path / name, embedder=embedder) as library:
            reports.append(library.index(articles))
    assert [(one.embedded, one.reused) for one in reports] == [(3, 0), (0, 3)]
    assert held(tmp_path / "first") == held(tmp_path / "second")
    assert len(held(tmp_path / "first")) == 3


def test_models_are_told_apart(tmp_path: Path, texts: Path) -> None:
    """What another model made of the same words is not taken for this one's."""
    indexed(tmp_path / "one", texts)
    other = HashingEmbedder()
    other.fingerprint = "hashing 2"
    with Library.open(tmp_path / "other", embedder=other) as library:
        assert library.index(texts).embedded == len(TEXTS)


def test_only_the_user_may_read_it(tmp_path: Path, texts: Path, folder: Path) -> None:
    """Whatever the umask says: what is in it spells the documents."""
    before = os.umask(0)
    try:
        indexed(tmp_path / "library", texts)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(the_file(folder).stat().st_mode) == 0o600


def a_key(number: int) -> bytes:
    """That of one sentence, another one for each number."""
    text = f"Sentence {number} is about nothing else."
    sentences = (Span(0, len(text)),)
    passage = Passage(str(number), "document", 0, len(text), text, sentences, 0, ())
    return content_digest("model", passage)


def an_encoding(number: int, tokens: int) -> PassageEncoding:
    """As one of a real model, with these tokens."""
    chance = np.random.default_rng(number)
    return PassageEncoding(
        sentences=chance.normal(size=(1, 384)).astype(np.float16).astype(np.float32),
        counts=np.array([tokens], dtype=np.int32),
        pieces=chance.integers(0, 30_000, tokens, dtype=np.int32),
        bits=chance.integers(0, 256, (tokens, 48), dtype=np.uint8),
    )


def test_bound(folder: Path) -> None:
    """The file never exceeds it; what is of use in every run stays, and the oldest goes."""
    limit = 1_000_000
    useful = [a_key(number) for number in range(10)]
    for run in range(12):
        kept = EncodingCache.open(384, limit)
        assert len(kept.known(useful)) == (10 if run else 0)
        more = range(10 * run, 10 * run + 10)
        kept.keep([(a_key(n), an_encoding(n, 100 + n)) for n in more])
        kept.close()
        assert the_file(folder).stat().st_size <= limit
        assert kept.warnings == []
    kept = EncodingCache.open(384, limit)
    (found,) = kept.known([a_key(7)]).values()
    for name in ("sentences", "counts", "pieces", "bits"):
        np.testing.assert_array_equal(getattr(found, name), getattr(an_encoding(7, 107), name))
    there = kept.known([a_key(number) for number in range(10, 120)])
    kept.close()
    assert 30 < len(there) < 100
    newest = {a_key(number) for number in range(120 - len(there), 120)}
    assert set(there) == newest, "the oldest are those that went"
    EncodingCache.open(384, limit // 3).close()  # what is there must shrink
    assert the_file(folder).stat().st_size <= limit // 3
    assert 0 < cache.status().encodings < 40


def garble(file: Path) -> None:
    """It is no database any more."""
    file.write_bytes(b"no database at all " * 500)


def cut(file: Path) -> None:
    """Its second half is gone."""
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2)


def empty(file: Path) -> None:
    """SQLite takes it for a database without tables."""
    file.write_bytes(b"")


def flip(file: Path) -> None:
    """One bit in each encoding, where SQLite has no checksum of its own."""
    with sqlite3.connect(file) as connection:
        rows = connection.execute("SELECT id, content FROM encoding").fetchall()
        changed = [(row[1][:60] + bytes([row[1][60] ^ 8]) + row[1][61:], row[0]) for row in rows]
        connection.executemany("UPDATE encoding SET content = ? WHERE id = ?", changed)


def another_version(file: Path) -> None:
    """It has tables that this version doesn't know."""
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize("damage", [garble, cut, empty, flip, another_version])
def test_damage_is_told_and_mended(
    tmp_path: Path, texts: Path, folder: Path, damage: Callable[[Path], None]
) -> None:
    """The library comes out right, and the cache is made anew, for the next one."""
    _, right = indexed(tmp_path / "right", texts, keep=False)
    indexed(tmp_path / "first", texts)
    damage(the_file(folder))
    report, found = indexed(tmp_path / "second", texts)
    assert report.embedded == len(TEXTS)
    assert [line for line in report.warnings if "was damaged, and is made anew" in line]
    assert found == right
    report, found = indexed(tmp_path / "third", texts)
    assert (report.embedded, report.warnings) == (0, ())
    assert found == right


def test_an_index_that_lost_its_entries_is_damage_too(
    tmp_path: Path, texts: Path, folder: Path
) -> None:
    """SQLite has a name of its own for that."""
    indexed(tmp_path / "first", texts)
    with sqlite3.connect(the_file(folder)) as connection:
        connection.execute("UPDATE entry SET used = 9")  # so that the next run notes its own
        connection.execute("CREATE INDEX empty ON entry (used, encoding) WHERE used < 0")
        roots = dict(connection.execute("SELECT name, rootpage FROM sqlite_master"))
        connection.execute("PRAGMA writable_schema = ON")
        for name, other in (("entry_used", "empty"), ("empty", "entry_used")):
            connection.execute(
                "UPDATE sqlite_master SET rootpage = ? WHERE name = ?", (roots[other], name)
            )
    (line,) = indexed(tmp_path / "second", texts)[0].warnings
    assert "was damaged, and is made anew" in line
    assert indexed(tmp_path / "third", texts)[0].warnings == ()


def test_a_cache_that_cannot_be_used(tmp_path: Path, texts: Path, folder: Path) -> None:
    """Indexing goes on without it, and says so."""
    folder.parent.parent.mkdir()
    folder.parent.write_text("a file where the folder should be")
    report, found = indexed(tmp_path / "library", texts)
    assert (report.embedded, len(found)) == (len(TEXTS), len(TEXTS))
    (line,) = report.warnings
    assert "can't be used" in line
    assert "RAG_CACHE_LIMIT=0" in line


def test_two_processes_at_once(tmp_path: Path, texts: Path, folder: Path) -> None:
    """Both get their libraries, nobody complains, and the file is whole."""
    program = (
        "import sys; from pathlib import Path; from rag import Library;"
        "from hashing_embedder import HashingEmbedder;"
        "library = Library.open(sys.argv[1], embedder=HashingEmbedder());"
        "report = library.index([Path(one) for one in sys.argv[2:]]);"
        "assert not report.warnings, report.warnings"
    )
    names = [str(texts / name) for name in TEXTS]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent / "faults")}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program, tmp_path / f"library {number}", *some],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number, some in enumerate([names[:9], names[5:]])
    ]
    assert [(one.communicate()[1], one.returncode) for one in both] == [("", 0), ("", 0)]
    with sqlite3.connect(the_file(folder)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert cache.status().encodings == len(TEXTS)
    assert indexed(tmp_path / "third", texts)[0].embedded == 0


def test_interrupted_run_loses_nothing_of_the_model(tmp_path: Path, texts: Path) -> None:
    """What it had encoded when Ctrl-C came is not encoded again, whether it was stored or not."""
    model = CountingEmbedder()

    def interrupt(step: Progress) -> None:
        if step.embedded:
            raise KeyboardInterrupt

    with Library.open(tmp_path / "library", embedder=model) as library:
        with pytest.raises(KeyboardInterrupt):
            library.index(texts, progress=interrupt)
        assert library.status().documents == 1
        library.index(texts)
        assert library.status().documents == len(TEXTS)
    assert model.count == len(TEXTS)


def test_without(
    tmp_path: Path, texts: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off in either way, nothing is looked up, and no folder made."""
    indexed(tmp_path / "first", texts, keep=False)
    monkeypatch.setenv("RAG_CACHE_LIMIT", "0")
    indexed(tmp_path / "second", texts)
    assert not folder.exists()
    monkeypatch.setenv("RAG_CACHE_LIMIT", "a lot")
    with pytest.raises(InputError, match="like 500MB or 2GB, or 0 for no cache, not “a lot”"):
        indexed(tmp_path / "third", texts)


def test_command(tmp_path: Path, texts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what is kept, and empties it."""
    indexed(tmp_path / "library", texts)
    monkeypatch.setenv("RAG_CACHE_LIMIT", "1.5 GB")
    shown = CliRunner().invoke(app(["cache"]), ["cache"])
    assert "encodings   14\n" in shown.output
    assert "limit       1,500 MB\n" in shown.output
    assert "encodings   0\n" in CliRunner().invoke(app(["cache"]), ["cache", "--clear"]).output
    assert indexed(tmp_path / "again", texts)[0].embedded == len(TEXTS)
