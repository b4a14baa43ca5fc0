"""What a library says of itself: of a run, of a file, of what it holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from rag.types import Failure

Stage: TypeAlias = Literal["discovering", "hashing", "reading", "publishing", "calibrating"]
"""What a run of ``Library.index`` is at: listing folders; finding out which files changed;
reading, encoding and storing them; bringing the search indexes up to date; and measuring what
scores mean."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run of ``Library.index`` is.

    Files done, of how many; passages that were read so far, those of them that went through the
    model, and those that had been through it before; and the file in hand. ``done`` of ``total``
    is how far the ``stage`` is: files found; bytes of the file in hand; its pages or the like;
    passages; questions. ``total`` is 0 where it is not known. ``seconds`` have passed since the
    run began.
    """

    files_done: int
    files: int
    passages: int
    embedded: int
    reused: int
    source: str
    stage: Stage = "discovering"
    done: int = 0
    total: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What one run of ``Library.index`` did, by source.

    ``failed`` are files that should have been read and could not be, ``skipped`` those in a
    folder that are of a kind which is not read, and links to folders. ``embedded`` counts the
    passages that went through the model, ``reused`` those whose words this library had encoded
    before.
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


@dataclass(frozen=True, slots=True)
class FileReport:
    """What came of one file.

    ``documents`` is more than one for a file that holds several, and 0 for one that could not
    be read. ``pages_with_text`` is less than ``pages`` where some are only pictures. ``failures``
    is what of it could not be read, ``warnings`` what was read with doubts, ``seconds`` how long
    reading took.
    """

    source: str
    documents: int
    pages: int
    pages_with_text: int
    characters: int
    passages: int
    languages: tuple[str, ...]
    warnings: tuple[str, ...]
    failures: tuple[Failure, ...]
    seconds: float

    @property
    def status(self) -> str:
        """``indexed``, ``partly`` or ``failed``."""
        if not self.failures:
            return "indexed"
        return "partly" if self.documents else "failed"


MULTILINGUAL = "paraphrase-multilingual-MiniLM-L12-v2"
"""A model for some fifty languages, as small and quick as one can be."""


@dataclass(frozen=True, slots=True)
class Status:
    """What a library holds. ``path`` is its folder, or its URL. ``generation`` rises with every
    committed change; ``bytes`` is the size of its folder on disk, or of its tables. ``dimension``
    is the length of its vectors, and ``late`` says whether its model reads sentences in the context
    of their passage, or each on its own; ``backend`` is what it runs on to index.
    ``untrained`` counts, by language, documents that the model was not trained on, where they are
    a notable share. ``recall`` is the share of the sentences nearest to a question that the vector
    index proposes, measured on the library itself; None where it compares all. ``ratings`` counts
    what readers said of hits.
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
    backend: str
    recall: float | None = None
    ratings: int = 0

    @property
    def language_note(self) -> str:
        """What it means that the model was not trained on some languages, and what to do about it;
        empty where it was trained on all that matter.
        """
        if not self.untrained:
            return ""
        number = sum(self.untrained.values())
        languages = ", ".join(f"{code} {count:,}" for code, count in self.untrained.items())
        return (
            f"{number:,} document{'s' if number > 1 else ''} of {self.documents:,} in languages"
            f" that the model was not trained on: {languages}. They are found by the words of a"
            " question more than by its meaning. A multilingual model finds them by meaning, too;"
            f" it takes a new library: rag index --library DIR --model {MULTILINGUAL} PATH"
        )


@dataclass(frozen=True, slots=True)
class Facets:
    """How many documents of a library there are by ``languages`` (codes) and ``types`` (endings of
    their files, ``.pdf`` say), the most frequent first, and its ``first`` and ``last`` date.
    """

    languages: Mapping[str, int]
    types: Mapping[str, int]
    first: dt.date | None
    last: dt.date | None


@dataclass(frozen=True, slots=True)
class Dates:
    """When a library's documents are from, by their own word.

    ``months`` counts documents by month, in order, each under its first day; months without any
    are left out. ``undated`` counts those without a date, ``file_time`` those that have only the
    time of their file, which says when it was saved.
    """

    months: Mapping[dt.date, int]
    undated: int
    file_time: int


@dataclass(frozen=True, slots=True)
class Findability:
    """How well documents of one type are found by things that are known to be in them.

    ``type`` is the ending of their files, ``.pdf`` say, or empty for all together. ``recall`` is
    the share of the ``queries`` that bring the document within ten hits, ``mrr`` the mean of one
    divided by its rank, 0 where it is not among them; both lie in [0, 1]. The same of the last
    time is given for the ``compared`` queries that were asked before; 0 where there are none.
    """

    type: str
    queries: int
    recall: float
    mrr: float
    compared: int = 0
    recall_before: float = 0.0
    mrr_before: float = 0.0


@dataclass(frozen=True, slots=True)
class Lost:
    """A document that a query should bring, and doesn't."""

    title: str
    source: str
    query: str


@dataclass(frozen=True, slots=True)
class Sought:
    """What became of one query of the self-test: the ``rank`` at which the document came up that
    it is from, counted from 1, and 0 where it was not among the first ten.
    """

    title: str
    source: str
    query: str
    rank: int


@dataclass(frozen=True, slots=True)
class SelfTest:
    """Whether what is in a library can be found.

    ``missed`` is what was not found, and ``lost`` what of it was found last time: the index has
    got worse, or its documents more alike.
    """

    total: Findability
    types: tuple[Findability, ...]
    missed: tuple[Lost, ...]
    lost: tuple[Lost, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a library that is not as it should be.

    ``what`` is wrong with the document of that id and ``source``, or with the library as a whole
    where these are empty. ``remedy`` is what to do about it; it is done where ``repaired``.
    """

    what: str
    remedy: str
    document: str = ""
    source: str = ""
    repaired: bool = False


@dataclass(frozen=True, slots=True)
class Version:
    """How a shared library was at the end of a run: ``number`` is what to go back to it by."""

    number: int
    time: dt.datetime
    documents: int
    passages: int


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether a library is what was written to it.

    How much of it was looked at, what is wrong, and how long it took.
    """

    documents: int
    passages: int
    sentences: int
    problems: tuple[Problem, ...]
    seconds: float

    @property
    def sound(self) -> bool:
        """Whether there is nothing wrong, or not any more."""
        return all(one.repaired for one in self.problems)
