"""The whole suite over a shared library: ``pytest --engine shared``, as ``make engines`` does.

Whatever a test opens in a folder becomes a shared library, its tables files in that folder. What is
about files that only a library in a folder has is left out by name, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest

from rag.cluster.lance import engine
from rag.library import opener
from rag.runtime.files import absolute, is_url

_REACHES_IN = (
    "test_catalogue::test_months_are_in_order_and_dates_may_be_missing",
    "test_library_changes::test_word_piece_counts_follow_the_passages",
    "test_library_changes::test_damaged_indexes_are_rebuilt",
    "test_library_changes::test_store_from_an_older_copy",
    "test_library_changes::test_store_that_cannot_be_written",
    "test_library_changes::test_another_format_is_refused",
    "test_library_changes::test_no_library_there",
    "test_library_changes::test_store_that_is_none",
    "test_phrases::test_indexes_of_another_format_are_made_again",
    "test_phrases::test_the_command",
    "test_titles::test_tokens_of_the_title_with_every_passage",
    "test_staleness::test_edited_document_embeds_only_what_is_new",
    "test_staleness::test_a_better_reader_reads_again",
    "test_staleness::test_retry_reads_what_failed",
    "test_staleness::test_again_reads_what_did_not_change",
    "test_staleness::test_again_on_the_command_line",
    "test_calibration::test_measured_once_and_again_for_another_ranking",
    "test_calibration::test_what_another_version_kept_is_measured_again",
    "test_calibration::test_interrupted_measuring_keeps_nothing",
    "test_calibration::test_where_nothing_can_be_kept_it_stays_in_memory",
    "test_calibration::test_another_language_gets_its_own_foreign_questions",
    "test_question_reads::test_what_goes_meanwhile_is_no_hit",
)

LEFT_OUT: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(_REACHES_IN, "it reaches into the files of the folder, by SQL mostly"),
        "test_library_changes::test_search_goes_on_while_another_writes": "there is no lock",
        "test_self_test::test_it_takes_no_lock": "there is no lock",
        "test_hit_ratings::test_rating_while_another_process_indexes": "there is no lock",
        "test_staleness::test_what_lies_in_the_librarys_folder_outlasts_the_folders_above": (
            "files are not sent to it"
        ),
    }
)
"""What is left out, and why."""


def switch(patched: pytest.MonkeyPatch) -> None:
    """From now on every library is a shared one."""
    before = opener.open_library

    def opened(path: str | Path, **wanted: object) -> object:
        return before(path if is_url(path) else f"file://{absolute(path)}", **wanted)

    patched.setattr(opener, "open_library", opened)
    # What another process wrote is seen within that time; tests don't wait for it.
    patched.setattr(engine, "SECONDS_BETWEEN_LOOKS", -1.0)


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out what is not for shared libraries; a name that no test has is an error."""
    modules = {_module(one) for one in items}
    names = {_name(one) for one in items}
    gone = [name for name in LEFT_OUT if name.partition("::")[0] in modules and name not in names]
    if gone and not _some_are_named(config.args):
        raise pytest.UsageError(f"left out, but not there: {', '.join(gone)}")
    config.hook.pytest_deselected(items=[one for one in items if _name(one) in LEFT_OUT])
    items[:] = [one for one in items if _name(one) not in LEFT_OUT]


def _some_are_named(arguments: Sequence[str]) -> bool:
    return any("::" in one for one in arguments)


def _module(item: pytest.Item) -> str:
    return item.path.stem


def _name(item: pytest.Item) -> str:
    return f"{_module(item)}::{getattr(item, 'originalname', item.name)}"
