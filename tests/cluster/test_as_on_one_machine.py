"""What holds for indexing on one machine holds for the stages of a cluster: the same tests.

They are run in this process, one after the other; ``test_ray.py`` has Ray run them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partialmethod
from pathlib import Path

import pytest
import without_ray
from engines import place
from test_collections import folder, test_each_folder_is_one  # noqa: F401
from test_library import (  # noqa: F401 (they are run here, with the library below)
    test_bad_files_stop_nothing,
    test_changed_file_replaces_its_passages,
    test_failed_file_is_remembered,
    test_file_that_broke_keeps_its_earlier_version,
    test_files_that_change_places,
    test_index_reports_and_finds,
    test_moved_file_embeds_nothing,
    test_nothing_changed_embeds_nothing,
    test_report_by_file,
    test_same_content_twice_is_one_document,
    test_vanished_file_goes,
)
from test_library_changes import test_missing_path, test_progress_counts_up  # noqa: F401

from rag import InputError, Library, Progress
from rag.cluster.ray import driver
from rag.models.embedder import SentenceTransformerEmbedder


@pytest.fixture
def library(
    tmp_path: Path, embedder: SentenceTransformerEmbedder, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Library]:
    """An empty shared library, indexed as on a cluster."""
    monkeypatch.setattr(driver, "machines", without_ray.machines)
    monkeypatch.setattr(Library, "index", partialmethod(Library.index, ray="one process"))
    with Library.open(place("shared", tmp_path), embedder=embedder) as library:
        yield library


def test_again_puts_right_what_was_read_otherwise(library: Library, articles: Path) -> None:
    """What it reads alike stays untouched; what it reads otherwise is replaced, id and all."""
    library.index(articles)
    tanks = library.document(library.search("turret from Ghent")[0].document_id)
    library.engine._tables.documents.amend([{"id": tanks.id, "title": "Tnaks"}], "id")
    assert library.index(articles).updated == ()
    report = library.index(articles, again=True)
    assert report.updated == (str(articles / "tanks.txt"),)
    assert (len(report.unchanged), report.embedded, report.reused) == (2, 0, 1)
    assert library.document(tanks.id).title == tanks.title


def test_stopped_run_goes_on_where_it_was(
    library: Library, articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C after the first parcel was written and before its files were recorded: nothing that
    was committed is embedded again.
    """
    monkeypatch.setattr(without_ray, "FILES_TOGETHER", 1)

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        library.index(articles / "bread.txt", progress=interrupt)
    assert library.status().documents == 1
    assert library.engine.reader.files() == {}
    report = library.index(articles)
    assert (len(report.added), len(report.unchanged), report.embedded) == (2, 1, 2)
    assert len(library.index(articles).unchanged) == 3


def test_library_in_a_folder_is_refused(tmp_path: Path, articles: Path) -> None:
    """Many machines can't write it; nothing is begun."""
    with (
        Library.open(tmp_path / "library") as library,
        pytest.raises(InputError, match="one machine at a time can write"),
    ):
        library.index(articles, ray="local")


def test_urls_need_ray(tmp_path: Path) -> None:
    """One machine reads files and folders."""
    with (
        Library.open(tmp_path / "library") as library,
        pytest.raises(InputError, match="--ray local"),
    ):
        library.index("s3://bucket/articles")
