"""Reports on an index run, a file, a self-test and the library as a whole."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from rag.types import Failure, SourcePath

Stage: TypeAlias = Literal[
    "discovering",
    "choosing",
    "loading",
    "hashing",
    "reading",
    "re-encoding",
    "publishing",
    "calibrating",
]
"""The stages of ``Library.index``: list folders; choose and load the model of a new library; find
changed files; read, encode and store them; update the search indexes; and calibrate the scores.
``Library.reencode`` encodes stored documents instead of reading files."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a run of ``Library.index`` or ``Library.reencode``."""

    files_done: int
    files: int
    passages: int
    """Passages read so far."""
    embedded: int
    """Passages that went through the model."""
    reused: int
    """Passages that had been encoded before."""
    source: SourcePath
    """The current file."""
    stage: Stage = "discovering"
    done: int = 0
    """Progress within the stage, in files found, bytes of the model, bytes, pages or characters
    of the current file, documents re-encoded, passages, or questions.
    """
    total: int = 0
    """The total of ``done``; 0 if unknown."""
    seconds: float = 0.0
    """Since the run began."""


@dataclass(frozen=True, slots=True)
class IndexReport:
    """The outcome of one run of ``Library.index``, by source.

    ``failed`` are files that could not be read, ``skipped`` files in a folder whose type isn't
    supported, files that may hold secrets, and links to folders. ``embedded`` counts the passages
    that went through the model, ``reused`` those with text that this library had already encoded.
    ``model_note`` says which model was chosen for a new library and why, if that isn't the default
    one.
    """

    added: tuple[str, ...]
    updated: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    failed: tuple[Failure, ...]
    skipped: tuple[Failure, ...]
    embedded: int
    reused: int
    seconds: float
    model_note: str = ""

    @property
    def skipped_kinds(self) -> Mapping[str, int]:
        """Number of skipped files by reason, most first."""
        return dict(Counter(one.reason for one in self.skipped).most_common())


@dataclass(frozen=True, slots=True)
class FileReport:
    """The outcome of reading one file."""

    source: SourcePath
    documents: int
    """More than one for a file that holds several; 0 if it could not be read."""
    pages: int
    pages_with_text: int
    """Less than ``pages`` if some are only images."""
    characters: int
    passages: int
    languages: tuple[str, ...]
    warnings: tuple[str, ...]
    """What was read with doubts."""
    failures: tuple[Failure, ...]
    """The parts that could not be read."""
    seconds: float
    """Time taken to read it."""
    status: Literal["indexed", "partly", "failed", "skipped"] = field(init=False, default="indexed")
    """``skipped`` if nothing reads its type, or it may hold secrets."""

    def __post_init__(self) -> None:
        if self.failures:
            skipped = all(one.kind in ("unsupported", "secret") for one in self.failures)
            status = "partly" if self.documents else "skipped" if skipped else "failed"
            object.__setattr__(self, "status", status)


MULTILINGUAL_NAME = "multilingual"
"""What `--model` calls the packaged model for other languages than English."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A named part of a library; a document may be in several."""

    name: str
    folders: tuple[SourcePath, ...]
    """Its documents have a source in one of these: paths or URLs, and files added by name."""
    documents: int
    """Number of documents."""


@dataclass(frozen=True, slots=True)
class Status:
    """The contents of a library.

    ``path`` is its folder, or its URL. ``generation`` increases with every commit; ``bytes`` is the
    size of its folder on disk, or of its tables. ``dimension`` is the length of its vectors, and
    ``late`` whether its model encodes sentences in the context of their passage rather than each
    alone. ``untrained`` counts documents by language, for languages that the model was not trained
    on and that make up a notable share. ``recall`` is the vector index's recall of the sentences
    nearest to a query, measured on the library itself; None if the index is exact. ``ratings`` is
    the number of ratings, and ``collections`` are its collections by name.
    """

    path: Path | str
    documents: int
    passages: int
    sentences: int
    model: str
    generation: int
    bytes: int
    dimension: int
    late: bool
    untrained: Mapping[str, int]
    recall: float | None = None
    ratings: int = 0
    collections: tuple[Collection, ...] = ()

    @property
    def language_note(self) -> str:
        """A note for the user on languages that the model was not trained on, and what to do about
        it; empty if there are none to speak of.
        """
        if not self.untrained:
            return ""
        number = sum(self.untrained.values())
        languages = ", ".join(f"{code} {count:,}" for code, count in self.untrained.items())
        # A shared library keeps its model.
        remedy = "" if isinstance(self.path, Path) else " --library URL PATH, with a new URL"
        return (
            f"{number:,} document{'s' if number > 1 else ''} of {self.documents:,} in languages"
            f" that the model was not trained on: {languages}. They are found by the words of a"
            " question more than by its meaning. A multilingual model finds them by meaning, too:"
            f" rag index --model {MULTILINGUAL_NAME}{remedy}"
        )


@dataclass(frozen=True, slots=True)
class Facets:
    """The number of documents in a library by ``languages`` (codes) and ``types`` (file extensions
    such as ``.pdf``), most frequent first, and the ``first`` and ``last`` of the dates that are not
    only the time of a file.
    """

    languages: Mapping[str, int]
    types: Mapping[str, int]
    first: dt.date | None
    last: dt.date | None


@dataclass(frozen=True, slots=True)
class Dates:
    """Distribution of the documents' own dates.

    ``months`` counts documents by month, in order, keyed by its first day; empty months are left
    out. ``undated`` counts documents without a date, ``file_time`` those that have only the
    modification time of their file.
    """

    months: Mapping[dt.date, int]
    undated: int
    file_time: int


@dataclass(frozen=True, slots=True)
class Findability:
    """Retrieval quality for documents of one type, measured with known-item queries.

    ``type`` is the file extension, such as ``.pdf``, or empty for all together. ``recall`` is
    recall@10 over ``queries`` queries, and ``mrr`` the mean reciprocal rank, with 0 for a document
    outside the top ten; both lie in [0, 1]. For the ``compared`` queries that had been run before,
    the earlier values are given; 0 if there are none.
    """

    type: str
    queries: int
    recall: float
    mrr: float
    compared: int = 0
    recall_before: float = 0.0
    mrr_before: float = 0.0


@dataclass(frozen=True, slots=True)
class LostDocument:
    """A document that a query should retrieve, and doesn't."""

    title: str
    source: SourcePath
    query: str


@dataclass(frozen=True, slots=True)
class QueryOutcome:
    """The outcome of one query of the self-test: the ``rank`` of the document it was made from,
    counted from 1, or 0 if that was not in the top ten.
    """

    title: str
    source: SourcePath
    query: str
    rank: int


@dataclass(frozen=True, slots=True)
class SelfTest:
    """The outcome of a self-test: whether the documents of a library can be found.

    ``missed`` are the documents not found, and ``lost`` those of them that the previous run found:
    the index has got worse, or the documents have become more alike.
    """

    total: Findability
    types: tuple[Findability, ...]
    missed: tuple[LostDocument, ...]
    lost: tuple[LostDocument, ...]
    seconds: float


Remedy: TypeAlias = Literal["repair", "reread", "resend", "restore"]
"""How to fix a defect: ``rag verify --repair``; index the document's file again; send it again; or
restore the library from a copy.
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """A defect in a library.

    ``what`` is wrong with the document with that id and ``source``, or with the library as a whole
    if these are empty. ``remedy`` is how to fix it, in words for the user, ``kind`` the same for
    programs, and ``repaired`` whether that was done.
    """

    what: str
    remedy: str
    document: str = ""
    source: SourcePath = ""
    repaired: bool = False
    kind: Remedy = "repair"


@dataclass(frozen=True, slots=True)
class Version:
    """The state of a shared library at the end of a run; pass ``number`` to restore it."""

    number: int
    time: dt.datetime
    documents: int
    passages: int


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome of an integrity check: how much was checked, and the problems found."""

    documents: int
    passages: int
    sentences: int
    problems: tuple[Problem, ...]
    seconds: float

    @property
    def sound(self) -> bool:
        """Whether there are no problems, or all were repaired."""
        return all(one.repaired for one in self.problems)
