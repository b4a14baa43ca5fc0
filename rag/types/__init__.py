"""The stages a text passes through, one frozen type each.

::

    file → Document → Passage → PassageEncoding → index → Hit → page

Offsets are in characters (code points) of ``Document.text``, half-open:
``document.text[passage.start:passage.end] == passage.text`` always holds.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, get_args

from rag.errors import FailureKind

if TYPE_CHECKING:  # a process that reads files needs no NumPy
    import numpy as np
    from numpy.typing import NDArray

    from rag.types.arrays import Pieces, TokenBits, TokenVectors, Vector, Vectors


def file_name(source: str) -> str:
    """The last part of a path or URL, as shown to readers, who need not know the folder."""
    parts = [part for part in re.split(r"[\\/]", source) if part]
    return parts[-1] if parts else source


class _NameInJson:
    """Makes pydantic write a path as a file name: its JSON goes to other machines."""

    def __get_pydantic_core_schema__(
        self, kind: object, schema_of: Callable[[object], object]
    ) -> dict[str, object]:
        return {
            "type": "function-after",
            "function": {"type": "no-info", "function": file_name},
            "schema": schema_of(kind),
            "serialization": {
                "type": "function-plain",
                "function": file_name,
                "return_schema": {"type": "str"},
            },
        }


AnswerState: TypeAlias = Literal["likely", "unsure", "not found"]
"""Whether a library answers a question."""

SourcePath: TypeAlias = Annotated[str, _NameInJson()]
"""Path or URL of the file in which a document was found; pydantic reads and writes its name only,
so that no server reveals its folders."""


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
    """A page of a document."""

    number: int
    """Counted from 1."""
    label: str | None
    """The page number printed on it, if the file has one."""
    start: int
    """Offset in the document's text."""


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
    source: SourcePath
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

    def sentence_texts(self) -> list[str]:
        """The text of each sentence."""
        return [span.shifted(-self.start).of(self.text) for span in self.sentences]


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


@dataclass(frozen=True, slots=True)
class SimilarityScale:
    """What to correct a model's similarities by, all in [0, 1).

    ``floor`` is the cosine of unrelated texts. Passages in another language than the query score
    less than equally relevant ones in the same language: by ``dense_gap`` in the dense score, once
    that is rescaled from the floor, and by ``late_gap`` in late interaction.
    """

    floor: float = 0.0
    dense_gap: float = 0.0
    late_gap: float = 0.0


AS_IS = SimilarityScale()
"""The scale of a model whose similarities need no correction."""


@dataclass(frozen=True, slots=True, eq=False)
class QueryEncoding:
    """The model's output for one query.

    The arrays but ``vector`` have one entry per token, without special tokens.
    ``is_word`` marks tokens with a letter or digit, as opposed to punctuation; ``continued`` marks
    tokens that continue a word rather than start one, in scripts with blanks between words.
    ``legibility``, in [0, 1], is how well the model can read the query: see
    :meth:`rag.models.tokenizer.Tokenization.legibility`.
    ``scale`` corrects its similarities.
    """

    vector: Vector
    pieces: Pieces
    tokens: TokenVectors
    is_word: NDArray[np.bool_]
    continued: NDArray[np.bool_]
    legibility: float = 1.0
    scale: SimilarityScale = AS_IS


@dataclass(frozen=True, slots=True)
class Quote:
    """A verbatim excerpt of a document's text; offsets are in that text, the end exclusive."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """The components of a hit's score, each in [0, 1]."""

    meaning: float
    """Dense score: the best cosine of a sentence with the query."""
    words: float
    """Lexical score: BM25 as a share of its upper bound for the query."""
    tokens: float
    """Late-interaction score: MaxSim over tokens."""
    meaning_rank: int | None
    """Counted from 1; None if the index did not propose the passage."""
    words_rank: int | None
    """Counted from 1; None if the index did not propose the passage."""
    matched: tuple[str, ...]
    """The words of the passage, as written there, that match query words."""
    instead: tuple[Respelling, ...] = ()
    """The query words that occur in no document, each with its replacement."""


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """A passage as a search returns it; offsets are in the text of its document."""

    text: str
    title: str
    source: SourcePath
    date: dt.date | None
    page: int | None
    headings: tuple[str, ...]
    """The headings above it, outermost first."""
    document_id: str
    passage_id: str
    start: int
    end: int
    also_in: tuple[SourcePath, ...] = field(default=(), kw_only=True)
    """The other sources with the same passage."""
    page_label: str | None = field(default=None, kw_only=True)
    """The printed page number."""
    date_from: str | None = field(default=None, kw_only=True)
    """Where the date comes from: ``document``, ``file`` (its own metadata), ``file name`` or
    ``file time``, when the file was modified."""


@dataclass(frozen=True, slots=True)
class Hit(FoundPassage):
    """A passage retrieved for a query, with the sentence in it that answers."""

    rank: int
    score: float
    """In [0, 1]. Orders the hits of one query; it is not a probability."""
    answer: Quote
    """The sentence that answers best, with the list that it introduces."""
    why: Explanation
    confidence: float | None = None
    """The probability that a query whose top hit is this one is answered, in [0, 1]; only from
    :meth:`rag.Library.ask`, and not after a cross-encoder.
    """
    unmet: tuple[str, ...] = ()
    """The numbers, codes, months and names of the query that neither the passage has nor the
    headings, title, file name and date above it; names and months, nor a further passage of the
    document that was retrieved.
    """


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
    source: SourcePath
    answer: Quote
    good: bool
    score: float
    time: dt.datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """The hits for a question, and whether it is answered at all."""

    answered: bool
    """Whether an answer is likely."""
    confidence: float
    """The probability that the library answers the question, in [0, 1]."""
    hits: tuple[Hit, ...]
    measured: bool = True
    """Whether the probability was calibrated on this library; a small one uses default values."""
    reading: tuple[str, ...] = ()
    """How the question was interpreted where that may surprise, one line each: filters found in it,
    replacements for words that occur in no document, and that it is a single word.
    """
    alternative: str | None = None
    """Another question to offer: the original spelling where words were replaced, or one with words
    that may have been meant.
    """
    conditions_met: bool = True
    """Whether any passage meets the filters, if there are any."""
    state: AnswerState = "not found"
    """``likely`` (more likely than not), ``unsure``, or ``not found``: then the hits are merely the
    nearest passages.
    """

    @property
    def caution(self) -> str:
        """A sentence for the reader unless an answer is likely; empty if it is."""
        if self.state == "likely":
            return ""
        if not self.conditions_met:
            return "No document meets all of these conditions."
        if not self.hits:
            return "This is probably not in your documents: no passage has any of these words."
        doubt = "may not be" if self.state == "unsure" else "is probably not"
        if lacking := self.hits[0].unmet:
            return (
                f"This {doubt} in your documents: the best passage doesn't mention"
                f" {', '.join(lacking)}."
            )
        return f"This {doubt} in your documents (confidence {round(100 * self.confidence)} %)."


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
    """A passage that matches every search term."""

    matched: tuple[Quote, ...]
    """The matches in it."""


@dataclass(frozen=True, slots=True)
class DocumentCount:
    """Number of matching passages in a document."""

    document_id: str
    title: str
    source: SourcePath
    passages: int


@dataclass(frozen=True, slots=True)
class Found:
    """One page of the passages that match, in the order in which the documents were added to the
    library, then by position in the document.
    """

    passages: int
    """Total number of matching passages."""
    documents: tuple[DocumentCount, ...]
    """The number of matching passages in each document."""
    offset: int
    """Position of the first match on this page, counted from 0."""
    matches: tuple[Match, ...]
    """The matches on this page."""
    instead: tuple[Respelling, ...] = ()
    """The words that occur in no document, each with its replacement."""
    reading: tuple[str, ...] = ()
    """How the words were interpreted where that may surprise, one line each."""
    alternative: str | None = None
    """Another query to offer: the original spelling, or one with words that may have been meant."""


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """A document as shown in a list."""

    id: str
    title: str
    source: SourcePath
    date: dt.date | None
    passages: int
    """Number of passages."""
    date_from: str | None = None
    """Where the date comes from: ``document``, ``file`` (its own metadata), ``file name`` or
    ``file time``, when the file was modified."""
    language: str | None = None
    """Language code, such as ``en``."""
    pages: int = 0
    """Number of pages; 0 if the format has none."""
    warnings: tuple[str, ...] = ()
    """What could not be read, or not as the file's extension suggested."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be read, and why."""

    source: SourcePath
    reason: str
    """In words for the user."""
    kind: FailureKind = "unreadable"
    """Nothing reads files of an ``unsupported`` type; ``password`` is for files that one opens, and
    ``secret`` for files that may hold passwords or keys.
    """

    def __post_init__(self) -> None:
        if self.kind not in get_args(FailureKind):
            raise ValueError(f"there is no kind of failure {self.kind!r}")
