"""``rag import`` with hostile archives: the first byte says what the rest of an input is.

0: a whole archive. 1: the manifest of one that is whole but for it. 2: changes to the store of a
library, three bytes of place and one of value each, under a manifest that is right.
"""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hashing_embedder import HashingEmbedder
from small_files import parts_of, zipped

from rag import Library, archiving, unpacking
from rag.archive_format import MANIFEST, VERSION
from rag.errors import RagError

_STORE = "library.db"
_ANY: Mapping[str, bytes] = {_STORE: b"no store", "files/a.txt": b"Words."}
_CHANGE = 4


def run(data: bytes) -> None:
    """Only documented errors, and a library that is there whole or not at all."""
    folder, archive = _place() / "library", _place() / "archive.zip"
    archive.write_bytes(_archive(data[:1], data[1:]))
    try:
        unpacking.bring_in(archive, folder, lambda *_: None)
    except RagError:
        assert not folder.exists(), "a library that was refused is there"
    assert {one.name for one in _place().iterdir()} <= {"library", "archive.zip"}, "left over"
    shutil.rmtree(folder, ignore_errors=True)


def _archive(kind: bytes, rest: bytes) -> bytes:
    if kind == b"\1":
        return zipped({**_ANY, MANIFEST: rest})
    if kind == b"\2":
        store = bytearray(library()[_STORE])
        for at in range(0, len(rest) - _CHANGE + 1, _CHANGE):
            store[int.from_bytes(rest[at : at + 3]) % len(store)] = rest[at + 3]
        return _whole({**library(), _STORE: bytes(store)})
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
    archiving.export(folder / "library", folder / "a.zip", lambda *_: None)
    return {_STORE: parts_of((folder / "a.zip").read_bytes())[_STORE]}


SEEDS = [
    b"\0" + _whole(_ANY),
    b"\0" + _whole({**_ANY, "../a": b"", "files/../b": b"", "words/meta.json": b"{}"}),
    b"\1" + manifest(_ANY),
    b"\1" + manifest(_ANY, version=1e999),
    b"\1[" * 99,
    b"\2",
    *(b"\2" + at.to_bytes(3) + b"\xff" for at in (0, 18, 28, 100, 5000, 9000, 20000)),
]
