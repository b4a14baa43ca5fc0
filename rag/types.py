"""The stages a text passes through, one frozen type each.

::

    file → Document → Passage → PassageEncoding → index → Hit → page

Offsets are in characters (code points) of ``Document.text``, half-open:
``document.text[passage.start:passage.end] == passage.text`` always holds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.float32]
"""One embedding: shape (dimension,), float32, unit norm."""

Vectors: TypeAlias = NDArray[np.float32]
"""Embeddings, one a row: shape (n, dimension), float32, every row of unit norm."""

TokenVectors: TypeAlias = NDArray[np.float32]
"""What the model says of each token: shape (tokens, dimension), float32, norm not fixed."""

TokenBits: TypeAlias = NDArray[np.uint8]
"""Signs of token vectors, eight dimensions a byte: shape (tokens, dimension / 8), uint8."""

Pieces: TypeAlias = NDArray[np.int32]
"""Ids of word pieces in the model's vocabulary: shape (tokens,), int32."""

Offsets: TypeAlias = NDArray[np.int64]
"""Where tokens lie in a text: shape (tokens, 2), int64, each row the start and end of one."""

Scores: TypeAlias = NDArray[np.float64]
"""One score a candidate: shape (candidates,), float64, higher is better."""

Keys: TypeAlias = NDArray[np.int64]
"""Row keys of passages in the store: shape (n,), int64; never used twice in a library."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of characters, ``text[start:end]``."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"a span needs 0 <= start <= end, not {self.start}, {self.end}")

    def __len__(self) -> int:
        return self.end - self.start

    def of(self, text: str) -> str:
        """The characters of ``text`` that this span covers."""
        return text[self.start : self.end]

    def shifted(self, by: int) -> Span:
        """The range ``by`` characters further on; further back where ``by`` is negative."""
        return Span(self.start + by, self.end + by)


@dataclass(frozen=True, slots=True)
class Heading:
    """A line of the text that names what follows it; ``level`` 1 is the outermost."""

    span: Span
    level: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its ``number``, counted from 1, the ``label`` that is printed on it, where the file
    says so, and where in the document's text it begins.
    """

    number: int
    label: str | None
    start: int


@dataclass(frozen=True, slots=True)
class Document:
    """One file, read.

    ``text`` is plain text whose paragraphs are separated by one empty line; a heading is a
    paragraph of its own, listed in ``headings``. ``digest`` is the SHA-256 of the file's bytes
    in hexadecimal, and ``id`` its first 20 digits, so that the same content is the same
    document wherever it lies. ``pages`` has a span for each page, or none where the format has
    no pages. ``page_labels`` are the numbers printed on the pages ("iv", "A-3"), one a page, or
    none at all where the file names none. ``warnings`` say what of the file could not be read,
    or not as its name promised, each a line for a person.
    """

    id: str
    source: str
    title: str
    text: str
    digest: str
    date: dt.date | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    headings: tuple[Heading, ...] = ()
    pages: tuple[Span, ...] = ()
    page_labels: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def document_id(digest: str) -> str:
    """The id of the document whose file has this SHA-256, in hexadecimal."""
    return digest[:20]


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of whole sentences of one document that fits the model's window.

    ``sentences`` are spans in the document's text. The first ``leading`` of them are headings
    that introduce the passage: they are searched, but are no answer. ``headings`` is the trail
    of headings above the passage, outermost first. ``pages`` are those on which it stands, where
    the format has any.
    """

    id: str
    document_id: str
    start: int
    end: int
    text: str
    sentences: tuple[Span, ...]
    leading: int = 0
    headings: tuple[str, ...] = ()
    pages: tuple[Page, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class PassageEncoding:
    """What one pass of the model yields for one passage.

    ``sentences`` has a row for each of the passage's sentences, and ``counts`` the number of
    its tokens (shape (sentences,), int32). ``pieces`` and ``bits`` have an entry for each
    token, sentence after sentence, special tokens left out.
    """

    sentences: Vectors
    counts: NDArray[np.int32]
    pieces: Pieces
    bits: TokenBits


@dataclass(frozen=True, slots=True, eq=False)
class QueryEncoding:
    """What one pass of the model yields for a question; special tokens are left out of
    ``pieces`` and ``tokens``.
    """

    vector: Vector
    pieces: Pieces
    tokens: TokenVectors


@dataclass(frozen=True, slots=True)
class Quote:
    """A stretch of a document's text, word for word."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Why:
    """Where a hit's score comes from.

    ``meaning``, ``words`` and ``tokens`` lie in [0, 1]: the best cosine of a sentence with the
    question, the BM25 score as a share of the best there is for this question, and the late
    interaction over tokens. A rank counts from 1 and is None where that index did not propose
    the passage. ``matched`` are the words of the passage, as they stand there, that the
    question's words found.
    """

    meaning: float
    words: float
    tokens: float
    meaning_rank: int | None
    words_rank: int | None
    matched: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found, best first; offsets are in the text of its document.

    ``score`` lies in [0, 1] and orders the hits of one question. It is no probability.
    ``also_in`` names the other sources that hold the same passage. ``date_from`` says where the
    date is from: ``document``, ``file`` (what the file says of itself) or ``file time``.
    """

    rank: int
    score: float
    text: str
    title: str
    source: str
    date: dt.date | None
    page: int | None
    headings: tuple[str, ...]
    document_id: str
    passage_id: str
    start: int
    end: int
    answer: Quote
    why: Why
    also_in: tuple[str, ...] = ()
    page_label: str | None = None
    date_from: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """A document as it stands in a list; ``passages`` is how many it has, and ``date_from`` where
    its date is from, as in a hit.
    """

    id: str
    title: str
    source: str
    date: dt.date | None
    passages: int
    date_from: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that was not read, and why, in words for a person."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run of ``Library.index`` is.

    Files done, of how many; passages that were read so far, and those of them that went through
    the model; and the file in hand.
    """

    files_done: int
    files: int
    passages: int
    embedded: int
    source: str


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What one run of ``Library.index`` did, by source.

    ``failed`` are files that should have been read and could not be, ``skipped`` those in a
    folder that are of a kind which is not read. ``embedded`` counts the passages that went
    through the model.
    """

    added: tuple[str, ...]
    updated: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    failed: tuple[Failure, ...]
    skipped: tuple[Failure, ...]
    embedded: int
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


@dataclass(frozen=True, slots=True)
class Status:
    """What a library holds. ``generation`` rises with every committed change; ``bytes`` is the
    size of its folder on disk.
    """

    path: Path
    documents: int
    passages: int
    sentences: int
    model: str
    generation: int
    bytes: int
