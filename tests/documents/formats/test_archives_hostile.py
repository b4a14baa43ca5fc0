from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag.documents.archives import (
    members_of_bzip2,
    members_of_gzip,
    members_of_tar,
    members_of_xz,
    members_of_zip,
)
from rag.documents.loaded import Member
from rag.documents.registry import load
from rag.errors import LoadError
from rag.types import Failure

CUT = "the archive is damaged or cut off; get it again"


@pytest.mark.parametrize(
    "opened", [members_of_zip, members_of_tar, members_of_gzip, members_of_bzip2, members_of_xz]
)
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
