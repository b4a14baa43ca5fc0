from __future__ import annotations

import io
import struct
import zipfile

import pytest

from rag.documents.office_zip import Package, open_package
from rag.errors import LoadError


def _zip(method: int, content: bytes = b"<a/>") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("a.xml", content)
    return file.getvalue()


def _package(data: bytes) -> Package:
    return open_package(data, "Word document")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_ways_to_pack_that_the_formats_allow(method: int) -> None:
    """Office files and e-books are packed in one of two ways, or not at all."""
    assert _package(_zip(method)).tree("a.xml").tag == "a"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_to_pack_are_refused(method: int) -> None:
    """A kilobyte of them may unpack to gigabytes at once, whatever size it claims to have."""
    true = 64 << 20
    data = _zip(method, bytes(true)).replace(struct.pack("<L", true), struct.pack("<L", 1 << 20))
    with pytest.raises(LoadError, match="its compression method isn't supported"):
        _package(data).read("a.xml")


def test_parts_are_not_read_again_and_again() -> None:
    """A file whose parts name one of them a million times ends before it takes a day."""
    package = _package(_zip(zipfile.ZIP_STORED, bytes(4 << 20)))
    for _ in range(7):  # a few times its size, and a few megabytes
        assert len(package.read("a.xml")) == 4 << 20
    with pytest.raises(LoadError, match=r"it uses the same part again and again \(a\.xml\)"):
        package.read("a.xml")
