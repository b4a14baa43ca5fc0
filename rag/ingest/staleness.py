"""Files that were read before: whether they must be read again, and what stays of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain

from rag.documents.registry import Means, wants_password
from rag.errors import LibraryDamaged
from rag.index.engine import Reader
from rag.index.sqlite import FileRecord
from rag.types import Document, Failure, Passage

READING = 1
"""Raise it whenever loaders or chunking make something else of the same file: what an earlier
number read is read again then, and replaced where it differs."""

KEPT = "; its earlier version stays in the library"
"""What is said of a file that can't be read and could be before."""


def read_by(means: Means) -> str:
    """What a file's record says of how it was read; :class:`FileRecord` takes it apart."""
    return f"{READING} {means.ocr or '-'} {means.max_document}"


def at_least_as_before(means: Means, record: FileRecord | None) -> Means:
    """The means to read a file with whose content is as in ``record``: what helped to read it then
    helps again, though this run doesn't ask for it.
    """
    if record is None:
        return means
    return replace(
        means,
        ocr=means.ocr or record.ocr,
        max_document=max(means.max_document, record.max_document),
    )


def must_be_read(record: FileRecord, means: Means, *, in_doubt: bool, retry: bool) -> bool:
    """Whether a file must be read again though it did not change: it may be read better.

    ``in_doubt`` says that something of it was read with warnings.
    """
    if record.reader.partition(" ")[0] != str(READING):
        return True
    if means.passwords and any(map(wants_password, record.failures)):
        return True
    return (in_doubt or bool(record.failures)) and (
        retry or means.ocr not in {None, record.ocr} or means.max_document > record.max_document
    )


def is_just_so(document: Document, passages: Sequence[Passage], reader: Reader) -> bool:
    """Whether a library has this document, and its passages, just as they were read now."""
    with suppress(LibraryDamaged):  # then it is replaced, like one that was read otherwise
        stored = reader.document(document.id)
        return (
            stored is not None
            and replace(stored, source=document.source) == document
            and reader.passages_of(document.id) == passages
        )
    return False


def with_kept(
    sources: Sequence[str], failures: Sequence[Failure], before: Iterable[str]
) -> tuple[list[str], tuple[Failure, ...]]:
    """What could be read of a file ``before`` and can't be now stays as the library has it.

    Returns
    -------
    (list of str, tuple of Failure)
        The sources that are in the file, with those that are kept, and the failures, which say so.
    """
    lost = [one for one in before if one not in sources]
    kept = [[path for path in lost if _lies_in(path, one.source)] for one in failures]
    told = (
        Failure(one.source, one.reason + (KEPT if paths else ""))
        for one, paths in zip(failures, kept, strict=True)
    )
    return [*sources, *set(chain.from_iterable(kept))], tuple(told)


def _lies_in(source: str, place: str) -> bool:
    """Whether a source is a place or below it; both may be URLs."""
    return source == place or source.startswith((f"{place}/", f"{place}{os.sep}"))
