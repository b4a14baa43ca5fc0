from __future__ import annotations

import bz2
import io
import json
import lzma
import mmap
import os
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import many_files
import pytest
from hypothesis import given
from hypothesis import strategies as st
from many_files import tarred, zipped

from rag.documents.archives import members_of_compressed, members_of_tar, members_of_zip
from rag.documents.content import Content, content_of, stream_of, whole
from rag.documents.formats.json_text import members_of_json_lines
from rag.documents.formats.mail import members_of_mailbox
from rag.documents.loaded import Member
from rag.documents.registry import ReadOptions, load
from rag.documents.sandbox import processes
from rag.documents.sandbox.reader import ReadFile, read
from rag.errors import LoadError
from rag.types import Document, Failure

MIB = 1 << 20
LIMIT = 1 << 30

# A worker with little memory, which sees a file called cut.mbox lose what it holds.
WORKER = f"""
import os
import rag.documents.content, rag.documents.sandbox.worker

honest = rag.documents.sandbox.worker.load

def load(path, **options):
    for one in honest(path, **options):
        yield one
        if path.name == "cut.mbox":
            os.truncate(path, 0)

rag.documents.sandbox.worker.load = load
rag.documents.content.LARGE = {MIB}
rag.documents.sandbox.worker.main()
"""


def letter(number: int, size: int = 0) -> bytes:
    """A message as it stands in a mailbox."""
    return (
        b"From jane@example.org Wed Mar  5 10:00:00 2025\n"
        b"From: Jane <jane@example.org>\nSubject: Letter %d\n\n"
        b"Words of letter %d.\n>From here on there is more.\n%s\n\n"
    ) % (number, number, b"x" * size)


def everything(path: Path) -> tuple[list[Document | Failure], str]:
    """All that comes out of a file, and what it ends with."""
    found: list[Document | Failure] = []
    try:
        found += load(path)
    except LoadError as error:
        return found, str(error)
    return found, ""


MEMBERS = {"2024/jan.txt": b"Words of January.", "b.md": b"# Title\n\nOther words.", "c.bin": b"\0"}
MAILBOX = b"".join(letter(number) for number in range(1, 6))
LINES = '{"text": "Grüße aus Köln."}\n\n{"text": "More words."\n{"title": "T", "text": "End."}'
ZIP = zipped(MEMBERS, zipfile.ZIP_DEFLATED)
BZIP2 = zipped(MEMBERS, zipfile.ZIP_BZIP2)

FILES = {
    "deflated.zip": ZIP,
    "stored.zip": zipped(MEMBERS, zipfile.ZIP_STORED),
    "bzip2.zip": BZIP2,
    "lzma.zip": zipped(MEMBERS, zipfile.ZIP_LZMA),
    "inner.zip": zipped({"a.zip": ZIP, "b.mbox": MAILBOX}, zipfile.ZIP_STORED),
    "late.zip": b"something in front" * 9 + ZIP,
    "cut.zip": ZIP[:-30],
    "short.zip": b"PK\x03\x04",
    "torn.zip": BZIP2[:60] + b"\xff" * 9 + BZIP2[69:],
    "renamed.txt": ZIP,
    "renamed": ZIP,
    "a.tar": tarred(MEMBERS, "w:"),
    "cut.tar": tarred(MEMBERS, "w:")[:1100],
    "a.tar.gz": tarred(MEMBERS, "w:gz"),
    "cut.tgz": tarred(MEMBERS, "w:gz")[:-40],
    "a.tbz2": tarred(MEMBERS, "w:bz2"),
    "a.txz": tarred(MEMBERS, "w:xz"),
    "two.txt.bz2": bz2.compress(b"Words of ") + bz2.compress(b"a note.") + b"\0\0",
    "cut.txt.xz": lzma.compress(b"Words of a note.")[:-9],
    "a.mbox": MAILBOX,
    "crlf.mbox": MAILBOX.replace(b"\n", b"\r\n"),
    "mailbox": MAILBOX,
    "none.mbox": b"No mail at all.",
    "a.eml": many_files.mail(1, ("b.txt", b"Words of a file.")),
    "a.json": b'[{"text": "Words of one."}, {"text": "Words of two."}]',
    "lines.json": LINES.encode(),
    "a.jsonl": LINES.encode(),
    "crlf.jsonl": LINES.replace("\n", "\r\n").encode(),
    "marks.ndjson": '{"text": "One\u2028two\x85three\\n four"}\n'.encode(),
    "mark.jsonl": LINES.encode("utf-8-sig"),
    "western.jsonl": LINES.encode("cp1252"),
    "damaged.jsonl": b'{"text": "\xff%s"}' % ("ü" * 99).encode(),
    "wide.jsonl": LINES.encode("utf-16"),
    "wide-without-mark.jsonl": LINES.encode("utf-16-le"),
    "ascii-in-utf-16.jsonl": '{"text": "Plain words."}\n{"text": "More."}'.encode("utf-16-be"),
    "noise.jsonl": bytes(range(256)) * 9,
    "escape.txt": b"\x1b[1m\x01Words\n" * 99,
    "noise": bytes(range(255, -1, -1)) * 9,
    "old.doc": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(999),
    "protected.docx": (
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(9999) + "EncryptedPackage".encode("utf-16-le")
    ),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Files of every kind, whole and broken, but for those that hold nothing."""
    folder = tmp_path_factory.mktemp("files")
    many_files.good(folder / "good")
    many_files.broken(folder / "broken")
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_mapped_or_read_makes_no_difference(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same documents, failures and errors come out of every file."""
    read_whole = [everything(path) for path in files]
    assert sum(len(found) for found, _ in read_whole) > 100
    assert len({error for _, error in read_whole}) > 10
    monkeypatch.setattr("rag.documents.content.LARGE", 1)
    for path, expected in zip(files, read_whole, strict=True):
        assert everything(path) == expected, path.name


def test_which_files_are_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those from the limit on; both can be had as bytes."""
    monkeypatch.setattr("rag.documents.content.LARGE", 10)
    path = tmp_path / "a"
    for content, kind in ((b"", bytes), (b"9 letters", bytes), (b"10 letters", mmap.mmap)):
        path.write_bytes(content)
        found = content_of(path)
        assert type(found) is kind
        assert whole(found) == content


def test_a_file_system_that_cannot_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies there is read."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(19, "No such device")

    path = tmp_path / "a.txt"
    path.write_bytes(b"Words.")
    monkeypatch.setattr("rag.documents.content.LARGE", 1)
    monkeypatch.setattr(mmap, "mmap", refuse)
    assert content_of(path) == b"Words."


steps = st.one_of(
    st.tuples(st.just("seek"), st.integers(0, 99), st.just(io.SEEK_SET)),
    st.tuples(st.just("seek"), st.integers(-99, 99), st.sampled_from([io.SEEK_CUR, io.SEEK_END])),
    st.tuples(st.just("read"), st.integers(-1, 99)),
    st.tuples(st.just("readline")),
)


@given(st.integers(0, 60), st.integers(0, 60), st.lists(steps))
def test_a_stretch_reads_as_bytes_do(
    start: int, end: int, walk: list[tuple[str, *tuple[int, ...]]]
) -> None:
    """Wherever one goes in it, in whatever order."""
    content = b"".join(b"%d\n" % number for number in range(20))  # 50 bytes
    with mmap.mmap(-1, len(content)) as mapping:
        mapping[:] = content
        mapped, plain = stream_of(mapping, start, end), io.BytesIO(content[start:end])
        for step, *numbers in walk:
            assert getattr(mapped, step)(*numbers) == getattr(plain, step)(*numbers)
            assert mapped.tell() == plain.tell()


NOISE = os.urandom(MIB)
MANY = {f"{number}.txt": NOISE for number in range(16)}


@pytest.mark.parametrize(
    ("members_of", "make"),
    [
        (members_of_mailbox, lambda: b"".join(letter(number, MIB) for number in range(16))),
        (members_of_json_lines, lambda: (json.dumps({"text": "x" * MIB}).encode() + b"\n") * 16),
        (members_of_zip, lambda: zipped(MANY, zipfile.ZIP_STORED)),
        (members_of_tar, lambda: tarred(MANY, "w:")),
        (members_of_compressed, lambda: tarred(MANY, "w:gz")),
    ],
    ids=["mbox", "jsonl", "zip", "tar", "tar.gz"],
)
def test_memory_is_that_of_a_member(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    members_of: Callable[[Content], Iterator[Member | Failure]],
    make: Callable[[], bytes],
) -> None:
    """However many there are in the file: 16 MiB here, of which half are never in memory."""
    monkeypatch.setattr("rag.documents.content.LARGE", MIB)
    path = tmp_path / "a"
    path.write_bytes(make())
    tracemalloc.start()
    try:
        members = sum(isinstance(member, Member) for member in members_of(content_of(path)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert members == 16
    assert peak < 8 * MIB


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process with little memory that reads files."""
    monkeypatch.setattr(processes, "COMMAND", (sys.executable, "-c", WORKER))


def what_was_read(paths: list[Path]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Sources with the texts of documents, and with the reasons of failures."""
    documents, failures = [], []
    for one in read(paths, options=ReadOptions(max_document=LIMIT), workers=1):
        if isinstance(one, ReadFile):
            failures += [(failure.source, failure.reason) for failure in one.failures]
        else:
            documents.append((one[1].source, one[1].text))
    return documents, failures


@pytest.mark.skipif(sys.platform != "linux", reason="only there memory can be limited")
@pytest.mark.usefixtures("worker")
def test_files_larger_than_memory(tmp_path: Path) -> None:
    """An archive is read, without what in it is too large; of a file that has to be read at once it
    is said what to do.
    """
    zipped, whole = tmp_path / "a.zip", tmp_path / "b.eml"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("first.txt", b"Words in front.")
        archive.start_dir = LIMIT + 100 * MIB  # a hole, which takes no room on the disk
        archive.writestr("last.txt", b"Words at the end.")
    whole.write_bytes(b"Subject: A hole\n\n")
    os.truncate(whole, LIMIT + 100 * MIB)
    documents, failures = what_was_read([zipped, whole])
    assert documents == [
        (f"{zipped}/first.txt", "Words in front."),
        (f"{zipped}/last.txt", "Words at the end."),
    ]
    ((source, reason),) = failures
    assert source == str(whole)
    assert reason == ReadOptions(max_document=LIMIT).too_large


@pytest.mark.skipif(sys.platform == "win32", reason="no file can be cut there while it is mapped")
@pytest.mark.usefixtures("worker")
def test_a_file_that_is_cut_while_it_is_read(tmp_path: Path) -> None:
    """It costs its worker; what was read of it stays, and the next file is read."""
    cut, other = tmp_path / "cut.mbox", tmp_path / "other.mbox"
    cut.write_bytes(letter(1) + letter(2, 2 * MIB))
    other.write_bytes(letter(3))
    documents, failures = what_was_read([cut, other])
    assert [source for source, _ in documents] == [f"{cut}/1.eml", f"{other}/1.eml"]
    reason = "it was truncated, or its disk failed, while being read; index it again"
    assert failures == [(str(cut), reason)]
