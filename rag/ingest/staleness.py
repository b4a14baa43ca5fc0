"""Which files must be read again, and what to keep if that fails."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain

from rag.documents.registry import ReadOptions
from rag.errors import LibraryDamaged
from rag.index.engine import Reader
from rag.index.records import FileRecord
from rag.types import Document, Failure, Passage

READING = 1
"""Version of reading. Raise it whenever loaders or chunking produce something else from the same
file: files read by a lower version are then read again, and replaced if they differ."""

KEPT = "; its earlier version stays in the library"
"""Suffix of the message for a file that could be read before and can't be now."""


def reader_version(options: ReadOptions) -> str:
    """How a file was read, as stored in its record; :class:`FileRecord` parses it."""
    return f"{READING} {options.ocr or '-'} {options.max_document}"


def options_for(options: ReadOptions, record: FileRecord | None) -> ReadOptions:
    """Options to read a file with, given its ``record`` with the same content: OCR and the memory
    limit of last time are used again, even if this run doesn't ask for them.
    """
    if record is None:
        return options
    return replace(
        options,
        ocr=options.ocr or record.ocr,
        max_document=max(options.max_document, record.max_document),
    )


def must_be_read(record: FileRecord, options: ReadOptions, *, in_doubt: bool, retry: bool) -> bool:
    """Whether an unchanged file must be read again because the result may be better.

    ``in_doubt`` is whether there were warnings.
    """
    if record.reader.partition(" ")[0] != str(READING):
        return True
    if options.passwords and any(one.kind == "password" for one in record.failures):
        return True
    return (in_doubt or bool(record.failures)) and (
        retry or options.ocr not in {None, record.ocr} or options.max_document > record.max_document
    )


def is_identical(document: Document, passages: Sequence[Passage], reader: Reader) -> bool:
    """Whether the library has an identical document with identical passages."""
    with suppress(LibraryDamaged):  # a damaged one is replaced
        stored = reader.document(document.id)
        return (
            stored is not None
            and replace(stored, source=document.source) == document
            and reader.passages_of(document.id) == passages
        )
    return False


def keep_unreadable(
    sources: Sequence[str], failures: Sequence[Failure], before: Iterable[str]
) -> tuple[list[str], tuple[Failure, ...]]:
    """Keep documents that were read from a file ``before`` and can't be read now.

    Returns
    -------
    (list of str, tuple of Failure)
        The file's sources, including those kept, and the failures with a note about them.
    """
    lost = [one for one in before if one not in sources]
    kept = [[path for path in lost if _lies_in(path, one.source)] for one in failures]
    noted = (
        replace(one, reason=one.reason + (KEPT if paths else ""))
        for one, paths in zip(failures, kept, strict=True)
    )
    return [*sources, *set(chain.from_iterable(kept))], tuple(noted)


def _lies_in(source: str, place: str) -> bool:
    """Whether a source equals a place or is below it; both may be URLs."""
    return source == place or source.startswith((f"{place}/", f"{place}{os.sep}"))
