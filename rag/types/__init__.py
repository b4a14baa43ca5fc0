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
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a process that reads files needs no NumPy
    import numpy as np
    from numpy.typing import NDArray

    from rag.types.arrays import Pieces, TokenBits, TokenVectors, Vector, Vectors


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

    def page_at(self, position: int) -> Page | None:
        """The page to turn to for what begins at ``position`` in the document's text."""
        return next((one for one in reversed(self.pages) if one.start <= position), None)


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
    """What one pass of the model yields for a question.

    All but ``vector`` have an entry a token, special tokens left out. ``worded`` tells tokens
    with a letter or a digit from marks, and ``continued`` those that continue a word from those
    that begin one. ``legibility``, in [0, 1], is how far the model can read the question: see
    :meth:`rag.models.tokenizer.Tokenization.legibility`.
    """

    vector: Vector
    pieces: Pieces
    tokens: TokenVectors
    worded: NDArray[np.bool_]
    continued: NDArray[np.bool_]
    legibility: float = 1.0


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
    question's words found. ``instead`` are words of the question that no document has, each with
    the word that was looked for in its place.
    """

    meaning: float
    words: float
    tokens: float
    meaning_rank: int | None
    words_rank: int | None
    matched: tuple[str, ...]
    instead: tuple[Respelling, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found, best first; offsets are in the text of its document.

    ``score`` lies in [0, 1] and orders the hits of one question. It is no probability.
    ``also_in`` names the other sources that hold the same passage. ``date_from`` says where the
    date is from: ``document``, ``file`` (what the file says of itself) or ``file time``.
    ``confidence``, in [0, 1], is how probable it is that a question is answered whose first hit
    has this score; only :meth:`rag.Library.ask` says it, and not after a cross-encoder.
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
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Rating:
    """What a reader said of a hit: whether it is right for the question.

    ``question`` is as it was asked, runs of blanks as one. ``answer`` is the sentence that was
    marked, with its offsets in the text that the document had then, ``score`` the hit's, and
    ``time`` when it was said, in UTC.
    """

    question: str
    passage_id: str
    document_id: str
    source: str
    answer: Quote
    good: bool
    score: float
    time: dt.datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What a library says to a question.

    ``confidence``, in [0, 1], is the probability that the question is answered in the library,
    and ``answered`` whether that is more likely than not. Where it is not, the ``hits`` are only
    the nearest passages. ``measured`` is whether the probability was measured on this library: a
    small one gets that of libraries in general. ``reading`` says how the question was read, a
    line for each thing that may surprise: what was taken for a condition, and what was looked for
    instead of words that no document has. ``alternative`` is another question worth offering: the
    one that was asked, spelled just so, where other words were looked for; or one with words that
    may have been meant. ``conditions_met`` is whether any passage meets the conditions, if there
    are some.
    """

    answered: bool
    confidence: float
    hits: tuple[Hit, ...]
    measured: bool = True
    reading: tuple[str, ...] = ()
    alternative: str | None = None
    conditions_met: bool = True


@dataclass(frozen=True, slots=True)
class Clauses:
    """What a passage must have word for word, and what it must not.

    ``phrases`` and ``without`` are single words or several in a row. Case, accents and the
    punctuation between words make no difference; another form of a word is another word.
    """

    phrases: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.phrases or self.without)


@dataclass(frozen=True, slots=True)
class Respelling:
    """A word that no document has, as it was asked, and the nearest one that was found."""

    asked: str
    found: str


@dataclass(frozen=True, slots=True)
class Match:
    """A passage that has all that was looked for; offsets are in the text of its document.

    ``matched`` are the places in it where that stands. The other fields are those of a hit.
    """

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
    matched: tuple[Quote, ...]
    also_in: tuple[str, ...] = ()
    page_label: str | None = None
    date_from: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentCount:
    """How many passages of a document match."""

    document_id: str
    title: str
    source: str
    passages: int


@dataclass(frozen=True, slots=True)
class Found:
    """Every passage that matches, a page of them at a time.

    ``passages`` counts them all and ``documents`` those of each document; ``matches`` are those
    of this page, the first of which is number ``offset``, counted from 0. Both lists go by
    document, in the order in which the documents came into the library, and by place in it.
    ``instead`` is that of :class:`Why`; ``reading`` and ``alternative`` are those of
    :class:`Answer`.
    """

    passages: int
    documents: tuple[DocumentCount, ...]
    offset: int
    matches: tuple[Match, ...]
    instead: tuple[Respelling, ...] = ()
    reading: tuple[str, ...] = ()
    alternative: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """A document as it stands in a list; ``passages`` is how many it has, and ``date_from`` where
    its date is from, as in a hit. ``language`` is a code, or None where it is not known, ``pages``
    0 where the format has none, and ``warnings`` what was read with doubts.
    """

    id: str
    title: str
    source: str
    date: dt.date | None
    passages: int
    date_from: str | None = None
    language: str | None = None
    pages: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that was not read, and why, in words for a person."""

    source: str
    reason: str
