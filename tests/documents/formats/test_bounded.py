"""Large and lying files: read piece by piece with the same result, or refused, in bounded time."""

from __future__ import annotations

import io
import json
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from rag.documents.formats.html import load_html
from rag.documents.formats.json_text import members_of_json
from rag.documents.formats.spreadsheet import load_csv
from rag.documents.loaded import Loaded, Member
from rag.documents.read_options import MAX_DOCUMENT, max_document_of
from rag.documents.registry import ReadOptions, load
from rag.errors import InputError
from rag.library.library import Library
from rag.text.sentences import LONGEST_SENTENCE
from rag.types import Document, Failure

RECORDS = [
    {"title": f"T {n}", "text": "wörds “and” \\ more " * n, "n": [n, -1.5e3]} for n in range(90)
]
PAGE = (
    "<html><head><title>Ships</title></head><body><h1>Ships</h1>"
    + "".join(f"<p>Ship {n} has <b>sails</b> &amp; a löng keel.</p>" for n in range(300))
    + "<table>"
    + "".join(f"<tr><td>row {n}</td><td>cell</td></tr>" for n in range(300))
    + "</table><p hidden>unseen</p></body></html>"
)


def records(content: str) -> list[tuple[str, str]]:
    """What comes out of a JSON file, in order."""
    return [
        (one.name, one.content.text if isinstance(one.content, Loaded) else "")
        if isinstance(one, Member)
        else (one.source, one.reason)
        for one in members_of_json(content.encode())
    ]


@pytest.mark.parametrize("piece", [1, 7, 64, 1 << 18])
@pytest.mark.parametrize(
    "content",
    [
        json.dumps(RECORDS),
        json.dumps(RECORDS, indent=2, ensure_ascii=False),
        json.dumps([1, 12.75, -3e20, True, None, "a", {}, {"text": "Words."}, []]),
        '\n [ {"text": "One."} , NaN,-Infinity,1e5 ] \n',
        '{"text": "One."}\n{"text": "Two."}\n',
    ],
    ids=["dense", "indented", "values", "odd", "lines"],
)
def test_arrays_piece_by_piece(monkeypatch: pytest.MonkeyPatch, content: str, piece: int) -> None:
    """The same comes out whether they are read as a whole or an item at a time."""
    expected = records(content)
    monkeypatch.setattr("rag.documents.formats.json_text._LARGE", 0)
    monkeypatch.setattr("rag.documents.content.PIECE", piece)
    assert records(content) == expected


@pytest.mark.parametrize("content", ['[{"a": 1}', '[{"a": 1}, ]', '[{"a": 1}] x', '[{"a": tru}]'])
def test_damaged_arrays(monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    """They are refused before anything came out of them."""
    monkeypatch.setattr("rag.documents.formats.json_text._LARGE", 0)
    with pytest.raises(Exception, match="it is not valid JSON"):
        next(members_of_json(content.encode()))


@pytest.mark.parametrize("piece", [50, 1 << 18])
def test_pages_piece_by_piece(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    """A large page says what it says as a whole; pictures in it do not make it large."""
    picture = f'<img src="data:image/png;base64,{"A" * 90_000}">'
    (whole,) = load_html(PAGE.replace("<h1>", picture + "<h1>").encode())
    monkeypatch.setattr("rag.documents.formats.html._LARGE", 30_000)
    monkeypatch.setattr("rag.documents.content.PIECE", piece)
    (in_pieces,) = load_html(PAGE.encode())
    assert whole.metadata["extraction"] == in_pieces.metadata["extraction"] == "page"
    assert (in_pieces.text, in_pieces.headings) == (whole.text, whole.headings)
    assert in_pieces.title == whole.title == "Ships"


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("piece", [1, 5, 1 << 18])
def test_tables_piece_by_piece(monkeypatch: pytest.MonkeyPatch, ending: str, piece: int) -> None:
    """Wherever a piece ends, in a line end or in quotes."""
    lines = ["name,note", '"Ada","one\n\ntwo"', '"Göran","says ""no"""']
    monkeypatch.setattr("rag.documents.content.PIECE", piece)
    (loaded,) = load_csv(ending.join(lines).encode())
    assert loaded.text == 'name: Ada; note: one two\n\nname: Göran; note: says "no"'


def test_wide_rows() -> None:
    """A row of 50,000 cells becomes paragraphs of ordinary size, each with the row's name."""
    header = ",".join(["station", *(f"day {n}" for n in range(49_999))])
    row = ",".join(["Helgoland", *(f"{n} hPa" for n in range(49_999))])
    paragraphs = "\n\n".join(one.text for one in load_csv(f"{header}\n{row}\n".encode())).split(
        "\n\n"
    )
    assert max(map(len, paragraphs)) < LONGEST_SENTENCE + 100
    assert all(one.startswith("station: Helgoland; day ") for one in paragraphs)
    assert "day 49998: 49998 hPa" in paragraphs[-1]


def test_long_rows_of_few_cells() -> None:
    """A cell is never cut, nor lost."""
    (loaded,) = load_csv(b"a,b,c\n" + b",".join([b"x" * 3000, b"y" * 3000, b"z"]) + b"\n")
    assert loaded.text == f"a: {'x' * 3000}\n\nb: {'y' * 3000}\n\nc: z"


def lying(kind: bytes) -> bytes:
    """A tar whose only header claims 4 TiB."""
    entry = tarfile.TarInfo("a.txt")
    entry.size, entry.type = 1 << 42, kind
    return entry.tobuf(tarfile.GNU_FORMAT) + b"words\n" * 200


@pytest.mark.parametrize("kind", [b"0", b"5", b"L", b"K", b"x", b"g", b"Z"])
def test_a_header_that_claims_terabytes(tmp_path: Path, kind: bytes) -> None:
    """Nobody looks for them; it took half a minute."""
    (tmp_path / "a.tar").write_bytes(lying(kind))
    began = time.process_time()
    try:
        found = list(load(tmp_path / "a.tar"))
    except Exception as error:  # noqa: BLE001 (whatever it is, it is told)
        found = [Failure("", str(error))]
    assert time.process_time() - began < 5
    assert all(isinstance(one, Failure) for one in found)


def test_a_sparse_member(tmp_path: Path) -> None:
    """It counts as what comes out of it."""
    entry = bytearray(tarfile.TarInfo("a.txt").tobuf(tarfile.GNU_FORMAT))
    entry[156:157], entry[483:495] = b"S", b"%011o\0" % (400 << 20)
    entry[148:156] = b"        "
    entry[148:156] = b"%06o\0 " % sum(entry)
    (tmp_path / "a.tar").write_bytes(bytes(entry) + bytes(1024))
    with pytest.raises(Exception, match="far more than its size"):
        list(load(tmp_path / "a.tar"))


@pytest.mark.parametrize(
    ("asked", "size"),
    [(None, MAX_DOCUMENT), ("1GB", 10**9), ("512 mb", 512 * 10**6), (10**9, 10**9)],
)
def test_sizes(asked: int | str | None, size: int) -> None:
    """As people write them."""
    assert max_document_of(asked) == size


@pytest.mark.parametrize("asked", ["a lot", "1MB", 0, -1, "1e99", "9" * 5000 + "GB"])
def test_no_sizes(asked: int | str) -> None:
    """What is none, or too little, is refused with an example."""
    with pytest.raises(InputError, match="a size like 512MB or 2GB"):
        max_document_of(asked)


@pytest.mark.skipif(sys.platform != "linux", reason="only there memory can be limited")
def test_a_library_reads_it_again(tmp_path: Path) -> None:
    """As soon as more memory is allowed than before, without being told to retry."""
    (tmp_path / "articles").mkdir()
    path = tmp_path / "articles" / "large.json"
    path.write_text('{"text": "Words of a record.", "numbers": [0' + ",1" * 3_000_000 + "]}")
    with Library.open(tmp_path / "library") as library:
        first = library.index(path, max_document="64MB")
        same = library.index(path, max_document="64MB")
        more = library.index(path, max_document="1GB")
        after = library.index(path)
    assert [len(one.failed) for one in (first, same, more, after)] == [1, 1, 0, 0]
    assert (first.added, more.added) == ((), (str(path),))
    (failure,) = first.failed
    assert failure.reason == ReadOptions(max_document=64 * 10**6).too_large
    assert "64MB" in failure.reason
    assert "--max-document 256MB" in failure.reason


def test_long_facts_are_cut(tmp_path: Path) -> None:
    """What a record says beside its text waits in memory with every other one."""
    record = {"text": "Whales sing.", "note": "y" * 100_000, "k" * 1_000: "z"}
    path = tmp_path / "one.json"
    path.write_text(json.dumps(record))
    (found,) = load(path)
    assert isinstance(found, Document)
    assert sum(map(len, [*found.metadata, *found.metadata.values()])) < 3_000
    assert found.warnings == ("2 metadata fields were too long or too many",)


def test_names_longer_than_any_disk_keeps(tmp_path: Path) -> None:
    """They fail, and the other members are read."""
    path = tmp_path / "names.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("a.txt", "b" * 100_000 + ".txt", "c.txt"):
            info = tarfile.TarInfo(name)
            info.size = 12
            archive.addfile(info, io.BytesIO(b"Whales sing."))
    documents = [one.source for one in load(path) if isinstance(one, Document)]
    failures = [one for one in load(path) if isinstance(one, Failure)]
    assert documents == [f"{path}/a.txt", f"{path}/c.txt"]
    assert [one.source for one in failures] == [str(path)]
    assert len(failures[0].reason) < 200


def test_failures_of_one_file_are_counted_beyond_a_thousand(tmp_path: Path) -> None:
    """A list of them is kept for each file."""
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(1_500):
            archive.writestr(f"{number}.txt", b"")
    failures = [one for one in load(path) if isinstance(one, Failure)]
    assert len(failures) == 1_001
    assert failures[-1] == Failure(str(path), "500 more items in it could not be read")
