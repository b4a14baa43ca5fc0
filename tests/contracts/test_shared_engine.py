"""What holds for a library in a folder holds for a shared one: the same tests, on the other engine.

Its tables are files here; ``test_object_storage.py`` has them on an S3 server.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from engines import place
from test_library import (  # noqa: F401 (they are run here, with the library below)
    test_a_passage_is_in_the_language_of_its_document,
    test_bad_files_stop_nothing,
    test_changed_file_replaces_its_passages,
    test_empty_library_finds_nothing,
    test_failed_file_is_remembered,
    test_file_that_broke_keeps_its_earlier_version,
    test_files_that_change_places,
    test_filters_hold_before_the_top_is_cut,
    test_index_reports_and_finds,
    test_moved_file_embeds_nothing,
    test_nothing_changed_embeds_nothing,
    test_report_by_file,
    test_report_by_the_page,
    test_same_content_twice_is_one_document,
    test_same_passage_in_two_documents_is_folded,
    test_vanished_file_goes,
)
from test_library_changes import (  # noqa: F401
    test_document_goes_in_whole_or_not_at_all,
    test_documents_newest_first,
    test_interrupted_run_keeps_what_is_done,
    test_missing_path,
    test_progress_counts_up,
    test_remove,
)
from test_parts import (  # noqa: F401
    log,
    short_parts,
    test_a_file_that_changes,
    test_a_file_that_moves_is_copied_or_goes,
    test_it_is_one_document_everywhere,
    test_its_parts_can_be_read_one_after_the_other,
)

from rag import Library
from rag.models.embedder import SentenceTransformerEmbedder


@pytest.fixture
def library(tmp_path: Path, embedder: SentenceTransformerEmbedder) -> Iterator[Library]:
    """An empty shared library."""
    with Library.open(place("shared", tmp_path), embedder=embedder) as library:
        yield library
