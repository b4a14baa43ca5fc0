"""Index the documents of a labelled set into a library."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import InputError
from rag.evaluation.labelled_sets import SetDocument
from rag.library.library import Library
from rag.runtime.files import write_atomically
from rag.types import Hit

FOLDER = "corpus"
"""Folder inside the library's, with the documents as files to follow."""

DOCUMENTS_PER_FILE = 100
"""Files are read in parallel, so none should keep a reader busy for long."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """The documents of a set in a library, with the mapping from sources."""

    documents: Mapping[str, SetDocument]
    _id_by_source: Mapping[str, str]

    def of_source(self, source: str) -> SetDocument:
        """The document with this source."""
        return self.documents[self._id_by_source[source]]

    def names(self, hit: Hit) -> list[str]:
        """The ids of all documents that contain the passage of a hit, the one shown first."""
        return [self._id_by_source[source] for source in (hit.source, *hit.also_in)]


def index(
    documents: Sequence[SetDocument],
    library: Library,
    *,
    progress: bool = False,
) -> Corpus:
    """Index the documents of a set; documents that are already there cost next to nothing.

    Raises
    ------
    InputError
        If the library has other documents, or one of the set's can't be read.
    """
    folder = library.path / FOLDER
    others = [one.source for one in library.report() if not Path(one.source).is_relative_to(folder)]
    if others:
        raise InputError(
            f"{library.path} is a library of other documents ({others[0]} for one); "
            "name an empty folder: --library DIR"
        )
    id_by_source = _write(documents, folder)
    report = library.index(folder, progress=progress)
    if report.failed:
        first = report.failed[0]
        raise InputError(
            f"{len(report.failed):,} of the set's documents can't be read, "
            f"{id_by_source.get(first.source, first.source)} for one: {first.reason}"
        )
    return Corpus({one.id: one for one in documents}, id_by_source)


def _write(documents: Sequence[SetDocument], folder: Path) -> dict[str, str]:
    """Write the documents as files of records; returns the document ids by source.

    A document without a word is not written: no search can find it.
    """
    folder.mkdir(exist_ok=True)
    id_by_source: dict[str, str] = {}
    outdated = set(folder.glob("*.jsonl"))
    worded = [one for one in documents if _has_words(one.title + one.text)]
    for first in range(0, len(worded), DOCUMENTS_PER_FILE):
        path = folder / f"{first:07}.jsonl"
        shard = worded[first : first + DOCUMENTS_PER_FILE]
        write_atomically(path, "".join(map(_line, shard)).encode())
        outdated.discard(path)
        id_by_source |= {f"{path}/{line}": one.id for line, one in enumerate(shard, 1)}
    for path in outdated:
        path.unlink()
    return id_by_source


def _line(document: SetDocument) -> str:
    # A document with a title but no text can be found by its title.
    text = document.text if _has_words(document.text) else document.title
    record = {**document.metadata, "title": document.title, "text": text}
    return json.dumps(record, ensure_ascii=True) + "\n"


def _has_words(text: str) -> bool:
    return any(character.isalnum() for character in text)
