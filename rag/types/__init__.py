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
from typing import TYPE_CHECKING, get_args

from rag.errors import FailureKind

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
        """The span moved by ``by`` characters, which may be negative."""
        return Span(self.start + by, self.end + by)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading in the text; ``level`` 1 is the outermost."""

    span: Span
    level: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its ``number``, counted from 1, the ``label`` printed on it if the file has one, and
    the offset in the document's text at which it starts.
    """

    number: int
    label: str | None
    start: int


@dataclass(frozen=True, slots=True)
class Document:
    """The text and metadata of one file.

    ``text`` is plain text with paragraphs separated by one empty line; a heading is a paragraph of
    its own, listed in ``headings``. ``digest`` is the SHA-256 of the file's bytes in hexadecimal,
    and ``id`` its first 20 digits, so the same content is the same document wherever it is stored.
    ``pages`` has one span per page, and is empty if the format has no pages. ``page_labels`` are
    the printed page numbers ("iv", "A-3"), one per page, or empty if the file has none.
    ``warnings`` are messages for the user about content that could not be read, or files that
    aren't what their extension says.
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
    """The id of a document, from the hexadecimal SHA-256 of its file."""
    return digest[:20]


@dataclass(frozen=True, slots=True)
class Passage:
    """Consecutive whole sentences of one document that fit the model's window.

    ``sentences`` are spans in the document's text. The first ``leading`` of them are headings that
    introduce the passage: they are searched, but never returned as the answer. ``headings`` is the
    path of headings above the passage, outermost first. ``pages`` are the pages it spans, if the
    format has any.
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
        """The page on which ``position``, an offset in the document's text, falls."""
        return next((one for one in reversed(self.pages) if one.start <= position), None)


@dataclass(frozen=True, slots=True, eq=False)
class PassageEncoding:
    """The model's output for one passage.

    ``sentences`` has one row per sentence, and ``counts`` the number of tokens in each (shape
    (sentences,), int32). ``pieces`` and ``bits`` have one entry per token, sentence by sentence,
    without special tokens.
    """

    sentences: Vectors
    counts: NDArray[np.int32]
    pieces: Pieces
    bits: TokenBits


@dataclass(frozen=True, slots=True, eq=False)
class QueryEncoding:
    """The model's output for one query.

    All fields but ``vector`` and ``legibility`` have one entry per token, without special tokens.
    ``is_word`` marks tokens with a letter or digit, as opposed to punctuation; ``continued`` marks
    tokens that continue a word rather than start one. ``legibility``, in [0, 1], is how well the
    model can read the query: see :meth:`rag.models.tokenizer.Tokenization.legibility`.
    """

    vector: Vector
    pieces: Pieces
    tokens: TokenVectors
    is_word: NDArray[np.bool_]
    continued: NDArray[np.bool_]
    legibility: float = 1.0


@dataclass(frozen=True, slots=True)
class Quote:
    """A verbatim excerpt of a document's text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """The components of a hit's score.

    ``meaning``, ``words`` and ``tokens`` are the dense, lexical and late-interaction scores, in [0,
    1]: the best cosine of a sentence with the query, BM25 as a share of its upper bound for the
    query, and MaxSim over tokens. Ranks count from 1; None means that the index did not propose the
    passage. ``matched`` are the words of the passage, as written there, that match query words.
    ``instead`` are the query words that occur in no document, each with its replacement.
    """

    meaning: float
    words: float
    tokens: float
    meaning_rank: int | None
    words_rank: int | None
    matched: tuple[str, ...]
    instead: tuple[Respelling, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """A passage as a search returns it; offsets are in the text of its document.

    ``headings`` is the path of headings above it, outermost first. ``also_in`` names the other
    sources with the same passage. ``page_label`` is the printed page number. ``date_from`` is where
    the date comes from: ``document``, ``file`` (the file's own metadata) or ``file time``.
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
    also_in: tuple[str, ...] = field(default=(), kw_only=True)
    page_label: str | None = field(default=None, kw_only=True)
    date_from: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class Hit(FoundPassage):
    """A passage retrieved for a query, with the sentence in it that answers.

    ``score``, in [0, 1], orders the hits of one query and is not a probability. ``confidence``, in
    [0, 1], is the probability that a query whose top hit has this score is answered; it is set only
    by :meth:`rag.Library.ask`, and not after a cross-encoder.
    """

    rank: int
    score: float
    answer: Quote
    why: Explanation
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Rating:
    """A reader's judgement of whether a hit is right for a question.

    ``question`` is the question as asked, with whitespace collapsed. ``answer`` is the sentence
    that was highlighted, with its offsets in the document's text at the time, ``score`` the hit's
    score, and ``time`` the time of the rating, in UTC.
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
    """The hits for a question, and whether it is answered at all.

    ``confidence``, in [0, 1], is the probability that the library answers the question, and
    ``answered`` whether that is more likely than not; if it isn't, the ``hits`` are merely the
    nearest passages. ``measured`` is whether the probability was calibrated on this library; a
    small library uses default values. ``reading`` explains how the question was interpreted where
    that may surprise, one line each: which parts were taken as filters, and which replacements were
    made for words that occur in no document. ``alternative`` is another question to offer: the
    original spelling where words were replaced, or one with words that may have been meant.
    ``conditions_met`` is whether any passage meets the filters, if there are any.
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
    """Phrases that a passage must contain, and phrases that it must not.

    ``phrases`` and ``without`` hold single words or several in a row. Case, accents and the
    punctuation between words are ignored; words are not stemmed.
    """

    phrases: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.phrases or self.without)


@dataclass(frozen=True, slots=True)
class Respelling:
    """A query word that occurs in no document, and the nearest word that does."""

    asked: str
    found: str


@dataclass(frozen=True, slots=True)
class Match(FoundPassage):
    """A passage that matches every search term; ``matched`` are the matches in it."""

    matched: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class DocumentCount:
    """Number of matching passages in a document."""

    document_id: str
    title: str
    source: str
    passages: int


@dataclass(frozen=True, slots=True)
class Found:
    """One page of the passages that match.

    ``passages`` is the total number, and ``documents`` the number in each document. ``matches`` are
    those on this page; ``offset`` is the position of the first, counted from 0. Both lists are in
    the order in which the documents were added to the library, then by position in the document.
    ``instead`` is that of :class:`Explanation`; ``reading`` and ``alternative`` are those of
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
    """A document as shown in a list.

    ``passages`` is the number of passages, and ``date_from`` as in :class:`FoundPassage`.
    ``language`` is a code, or None if unknown, ``pages`` is 0 if the format has none, and
    ``warnings`` are those of :class:`Document`.
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
    """A file that could not be read: why, in words for the user, and what ``kind`` of reason."""

    source: str
    reason: str
    kind: FailureKind = "unreadable"

    def __post_init__(self) -> None:
        if self.kind not in get_args(FailureKind):
            raise ValueError(f"there is no kind of failure {self.kind!r}")
