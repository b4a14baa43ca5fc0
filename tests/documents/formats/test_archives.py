from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import stat
import struct
import tarfile
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from many_files import tarred, zipped

from rag.documents.archives import members_of_compressed, members_of_tar, members_of_zip
from rag.documents.loaded import Loaded, Member
from rag.documents.registry import load
from rag.errors import LoadError
from rag.types import Document, Failure
from rag.types.parts import is_further_part

MIB = 1 << 20
OUTSIDE = "its path leads outside the archive, so it was skipped"
LINK = "it is a link, and links in archives aren't followed"
DEVICE = "it is a device, not a file"
CUT = "the archive is damaged or cut off; get it again"

LETTERS = {"2024/jan.txt": b"Words of January.", "b.txt": b"Other words."}


def _shown(members: Iterator[Member | Failure]) -> list[tuple[str, bytes | Loaded | str]]:
    """Names with contents or reasons."""
    return [
        (one.name, one.content) if isinstance(one, Member) else (one.source, one.reason)
        for one in members
    ]


def _loaded(folder: Path, name: str, data: bytes) -> list[tuple[str, str]]:
    """Sources below the file, and texts or reasons, of what is in it."""
    path = folder / name
    path.write_bytes(data)
    return [
        (one.source.removeprefix(str(path)), one.text if isinstance(one, Document) else one.reason)
        for one in load(path)
        if not is_further_part(one.source)
    ]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.zip", zipped(LETTERS)),
        ("a.zip", zipped(LETTERS, zipfile.ZIP_BZIP2)),
        ("a.zip", zipped(LETTERS, zipfile.ZIP_LZMA)),
        ("a.tar", tarred(LETTERS, "w:")),
        ("a.tar.gz", tarred(LETTERS, "w:gz")),
        ("a.tgz", tarred(LETTERS, "w:gz")),
        ("a.tar.bz2", tarred(LETTERS, "w:bz2")),
        ("a.tbz2", tarred(LETTERS, "w:bz2")),
        ("a.tar.xz", tarred(LETTERS, "w:xz")),
        ("a.TXZ", tarred(LETTERS, "w:xz")),
    ],
)
def test_an_archive_reads_like_a_folder(tmp_path: Path, name: str, data: bytes) -> None:
    """Every file in it, in order, with its path in the archive."""
    assert _loaded(tmp_path, name, data) == [
        ("/2024/jan.txt", "Words of January."),
        ("/b.txt", "Other words."),
    ]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("notes.txt.gz", gzip.compress(b"Words of a note.")),
        ("notes.txt.gz", gzip.compress(b"Words of ") + gzip.compress(b"a note.") + b"\0\0"),
        ("notes.md.bz2", bz2.compress(b"Words of a note.")),
        ("notes.xz", lzma.compress(b"Words of a note.")),
    ],
)
def test_a_compressed_file_is_one_document(tmp_path: Path, name: str, data: bytes) -> None:
    """Its source is the file, its kind that of the name without the last ending."""
    assert _loaded(tmp_path, name, data) == [("", "Words of a note.")]


def test_archives_in_archives(tmp_path: Path) -> None:
    """Each is a folder in the other's; after four of them nothing more is opened."""
    data = b"Words."
    for level in range(6, 0, -1):
        data = zipped({f"{level}.zip" if level < 6 else "a.txt": data, "b.txt": b"Beside."})
        if level == 4:
            three = tarred({"inner.zip": data}, "w:gz")
    assert _loaded(tmp_path, "a.tgz", three) == [
        ("/inner.zip/4.zip/5.zip/a.txt", "Words."),
        ("/inner.zip/4.zip/5.zip/b.txt", "Beside."),
        ("/inner.zip/4.zip/b.txt", "Beside."),
        ("/inner.zip/b.txt", "Beside."),
    ]


def test_names_that_climb_out_are_refused() -> None:
    """Parents, roots and drives, with either slash; nothing is ever written."""
    names = ["../a.txt", "a/../../b.txt", "/etc/a.txt", "C:\\a.txt", "..\\a.txt", "c:a.txt"]
    shown = _shown(members_of_zip(zipped(dict.fromkeys([*names, "ok/./c.txt"], b"Words."))))
    assert shown == [
        ("../a.txt", OUTSIDE),
        ("a/../../b.txt", OUTSIDE),
        ("/etc/a.txt", OUTSIDE),
        ("C:/a.txt", OUTSIDE),
        ("../a.txt", OUTSIDE),
        ("c:a.txt", OUTSIDE),
        ("ok/c.txt", b"Words."),
    ]
    data = tarred({"../a.txt": b"Words.", "/a.txt": b"Words.", "./b//c.txt": b"Words."}, "w:")
    assert _shown(members_of_tar(data)) == [
        ("../a.txt", OUTSIDE),
        ("/a.txt", OUTSIDE),
        ("b/c.txt", b"Words."),
    ]


def test_links_and_devices_are_not_followed() -> None:
    """Neither those of a tar nor those that a ZIP can hold."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind in (
            ("soft.txt", tarfile.SYMTYPE),
            ("hard.txt", tarfile.LNKTYPE),
            ("pipe.txt", tarfile.FIFOTYPE),
            ("disk.txt", tarfile.BLKTYPE),
            ("folder", tarfile.DIRTYPE),
        ):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
    assert _shown(members_of_tar(buffer.getvalue())) == [
        ("soft.txt", LINK),
        ("hard.txt", LINK),
        ("pipe.txt", DEVICE),
        ("disk.txt", DEVICE),
    ]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name, mode in (("soft.txt", stat.S_IFLNK), ("pipe.txt", stat.S_IFIFO)):
            info = zipfile.ZipInfo(name)
            info.external_attr = (mode | 0o777) << 16
            zipped.writestr(info, "/etc/passwd")
    assert _shown(members_of_zip(buffer.getvalue())) == [("soft.txt", LINK), ("pipe.txt", DEVICE)]


JUNK = [
    *("__MACOSX/._a.txt", ".DS_Store", "a/.git/config.txt", "Thumbs.db", "a/desktop.ini"),
    *("~$letter.docx", ".hidden.txt", "a/"),
]


@pytest.mark.parametrize(
    "members",
    [
        members_of_zip(zipped(dict.fromkeys(JUNK, b""))),
        members_of_tar(tarred(dict.fromkeys(JUNK[:-1], b""), "w:")),
    ],
)
def test_what_systems_leave_behind_is_left_out(members: Iterator[Member | Failure]) -> None:
    """Hidden files, locks and folders are no members."""
    assert list(members) == []


def test_names_in_other_encodings() -> None:
    """UTF-8 is recognised where the ZIP doesn't say so; bytes that are none can be stored."""
    data = zipped({"xxxx.txt": b"Words."}).replace(b"xxxx.txt", "öä.txt".encode())
    assert _shown(members_of_zip(data)) == [("öä.txt", b"Words.")]
    ((name, _),) = _shown(members_of_tar(tarred({"a\udcff.txt": b"Words."}, "w:")))
    assert name == "a\\udcff.txt"


def test_names_in_an_extra_field(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.12 takes names from there, though the flag for UTF-8 isn't set."""
    listed = zipfile.ZipFile.infolist

    def renamed(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
        entries = listed(archive)
        entries[0].filename = "łódka.txt"
        return entries

    monkeypatch.setattr(zipfile.ZipFile, "infolist", renamed)
    members = members_of_zip(zipped({"xxxx.txt": b"Words.", "b.txt": b"Others."}))
    assert _shown(members) == [("łódka.txt", b"Words."), ("b.txt", b"Others.")]


def test_protected_entries_say_so(tmp_path: Path) -> None:
    """An entry with a password is a Failure; those beside it are read."""
    data = bytearray(zipped({"secret.txt": b"Words.", "open.txt": b"Open words."}))
    data[6] |= 1  # the first local header's flags, then those of the first in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert _loaded(tmp_path, "a.zip", bytes(data)) == [
        ("/secret.txt", "it is protected by a password; unpack it and index it by itself"),
        ("/open.txt", "Open words."),
    ]


def test_a_damaged_entry_costs_itself() -> None:
    """Bad checksums, broken streams and unknown methods are Failures with words."""
    entries = {"a.txt": b"Words of a." * 50, "b.txt": b"Words of b.", "c.txt": b"Words of c."}
    data = bytearray(zipped(entries))
    second = data.index(b"PK\x03\x04", 1)
    data[second + 30 + 5] ^= 0xFF  # in the stream of b.txt
    third = data.rindex(b"PK\x01\x02")
    data[third + 10] = 99  # the method of c.txt
    assert _shown(members_of_zip(bytes(data))) == [
        ("a.txt", b"Words of a." * 50),
        ("b.txt", "it is damaged in the archive; get it again"),
        ("c.txt", "its compression method isn't supported; repack it as a plain ZIP"),
    ]


def _halved(data: bytes) -> bytes:
    return data[: len(data) // 2]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.zip", _halved(zipped(LETTERS))),
        ("a.zip", b"PK\x03\x04 and nothing more"),
        ("a.tar", b"no tar at all" * 100),
        ("a.tgz", b"\x1f\x8b\x08"),
        ("a.txt.gz", _halved(gzip.compress(b"Words of a note." * 9))),
        ("a.txt.bz2", _halved(bz2.compress(b"Words of a note."))),
        ("a.txt.xz", _halved(lzma.compress(b"Words of a note."))),
        ("a.txt.gz", gzip.compress(b"Words.")[:-8] + bytes(8)),
        ("a.gz", b"no gzip"),
    ],
)
def test_truncated_archives_are_errors(tmp_path: Path, name: str, data: bytes) -> None:
    """Where nothing can be read, the file as a whole can't."""
    with pytest.raises(LoadError, match=CUT):
        _loaded(tmp_path, name, data)


@pytest.mark.parametrize(("name", "mode"), [("a.tar", "w:"), ("a.tar.gz", "w:gz")])
def test_a_tar_that_breaks_off(tmp_path: Path, name: str, mode: str) -> None:
    """What came before the break is read, and the break is told."""
    noise = random.Random(0).randbytes(60_000)  # noqa: S311 - no secret
    data = tarred({"a.txt": b"Words.", "noise.txt": noise.hex().encode()}, mode)
    assert _loaded(tmp_path, name, data[:-40_000]) == [("/a.txt", "Words."), ("", CUT)]


def _peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


ZEROS = 150 * MIB
TOO_MUCH = "far more than its size, like a decompression bomb"


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("a.zip", lambda zeros: zipped({"a.txt": zeros})),
        ("a.zip", lambda zeros: zipped({"a.txt": zeros}, zipfile.ZIP_BZIP2)),
        ("a.txt.gz", lambda zeros: gzip.compress(zeros, 1)),
        ("a.txt.bz2", bz2.compress),
        ("a.tar.gz", lambda zeros: tarred({"a.txt": zeros}, "w:gz")),
        ("a.tar.bz2", lambda zeros: tarred({"a.png": zeros}, "w:bz2")),
    ],
)
def test_bombs_are_refused_in_bounded_memory(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    """A small file that unpacks to a disk full of zeros is stopped on the way."""
    path = tmp_path / name
    path.write_bytes(pack(bytes(ZEROS)))

    def refuse() -> None:
        with pytest.raises(LoadError, match=TOO_MUCH):
            list(load(path))

    began = time.process_time()
    assert _peak(refuse) < 2.5 * 64 * MIB
    assert time.process_time() - began < 10


def test_a_bomb_of_many_members(tmp_path: Path) -> None:
    """Entries that share their bytes are counted each; what was read before stays."""
    words = b"Words. " * (3 * MIB)
    data = zipped({f"{number}.zip": zipped({"a.txt": words}) for number in range(5)})
    shown = _loaded(tmp_path, "a.zip", data)
    assert [source for source, _ in shown] == [
        *("/0.zip/a.txt", "/1.zip/a.txt", "/2.zip/a.txt", "/3.zip", ""),
    ]
    assert all("more than is safe to unpack" in reason for _, reason in shown[3:])


def test_a_member_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a Failure, and the others go on."""
    monkeypatch.setattr("rag.documents.archives._LARGEST", 10)
    entries = {"large.txt": b"Words and words.", "small.txt": b"Words."}
    for members in (members_of_zip(zipped(entries)), members_of_tar(tarred(entries, "w:"))):
        shown = _shown(members)
        assert [name for name, _ in shown] == ["large.txt", "small.txt"]
        assert "larger than" in str(shown[0][1])
        assert shown[1][1] == b"Words."


def test_too_many_members(monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive of more entries than is sensible is refused."""
    monkeypatch.setattr("rag.documents.archives._MOST_MEMBERS", 1)
    for members in (members_of_zip(zipped(LETTERS)), members_of_tar(tarred(LETTERS, "w:"))):
        with pytest.raises(LoadError, match="holds more than 100,000 files; unpack it"):
            list(members)


def test_xz_that_asks_for_gigabytes() -> None:
    """The dictionary that the header asks for is limited before it is made."""
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]
    data = bytearray(lzma.compress(b"Words.", filters=filters))
    data[16] = 40  # the size of the dictionary: 4 GiB
    data[20:24] = struct.pack("<I", zlib.crc32(data[12:20]))
    with pytest.raises(LoadError, match=CUT):
        list(members_of_compressed(bytes(data)))


@pytest.mark.parametrize("opened", [members_of_zip, members_of_tar, members_of_compressed])
@pytest.mark.parametrize(
    "data", [b"", b"\0", bytes(5000), b"PK\x05\x06" + bytes(18), b"\x1f\x8b\x08\0" + bytes(99)]
)
def test_hostile_bytes(opened: Callable[[bytes], Iterator[Member | Failure]], data: bytes) -> None:
    """Nothing but members, failures and LoadError ever comes out."""
    try:
        assert len(list(opened(data))) == 0
    except LoadError as error:
        assert str(error) == CUT  # noqa: PT017 - either is right


def test_names_that_are_none(tmp_path: Path) -> None:
    """The archive's own folder, or nothing at all, instead of a name costs no other file."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name in ("a.txt", "./", "", ".", "/", "b.txt"):
            entry = tarfile.TarInfo(name)
            entry.size = len(b"Words.")
            archive.addfile(entry, io.BytesIO(b"Words."))
    path = tmp_path / "a.tar"
    path.write_bytes(data.getvalue())
    assert [one.source.removeprefix(str(path)) for one in load(path)] == ["/a.txt", "//", "/b.txt"]
