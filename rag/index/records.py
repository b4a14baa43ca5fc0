"""What goes into the store and comes out of it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.errors import LibraryDamaged
from rag.types import DocumentCount, Failure, Passage
from rag.types.arrays import TokenBits, Vectors

_Asked = ParamSpec("_Asked")
_Found = TypeVar("_Found")


def sound(read: Callable[_Asked, _Found]) -> Callable[_Asked, _Found]:
    """The same function, for which values that make no sense are damage: only what was written
    is read, and that made sense.
    """

    @wraps(read)
    def checked(*args: _Asked.args, **kwargs: _Asked.kwargs) -> _Found:
        try:
            return read(*args, **kwargs)
        except (ValueError, TypeError, LookupError, OverflowError) as error:
            raise damaged(str(error)) from error

    return checked


def damaged(what: str) -> LibraryDamaged:
    """What is stored is not what was written."""
    return LibraryDamaged(
        f"the library's store is damaged ({what}); rag verify says which documents are, and rag "
        "verify --repair what can be done"
    )


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file as it was when it was last read.

    ``reader`` says what read it, so that it is read again when there is something better;
    ``failures`` is what of it could not be read, the whole file or documents in it.
    """

    path: str
    size: int
    modified_ns: int
    digest: str
    reader: str
    failures: tuple[Failure, ...]
    seconds: float

    @property
    def ocr(self) -> str | None:
        """The languages of OCR by which it was read; None if it was read without."""
        languages = self._read_with(1)
        return None if languages == "-" else languages

    @property
    def max_document(self) -> int:
        """The memory, in bytes, that reading it was allowed to take; 0 where that is not known."""
        return int(self._read_with(2) or 0)

    def _read_with(self, place: int) -> str | None:
        words = self.reader.split(" ")
        return words[place] if place < len(words) else None


@dataclass(frozen=True, slots=True)
class Source:
    """A place where a document was found: a file, or below a file that holds several."""

    path: str
    file: str
    document_id: str


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage with the facts of its document that a hit shows."""

    key: int
    passage: Passage
    title: str
    date: dt.date | None
    date_from: str | None
    sources: tuple[str, ...]


def together(counts: Iterable[DocumentCount]) -> tuple[DocumentCount, ...]:
    """Counts by document, those of its parts added up."""
    found: dict[tuple[str, str], DocumentCount] = {}
    for one in counts:
        first = found.setdefault((one.source, one.title), one)
        if first is not one:
            both = first.passages + one.passages
            found[one.source, one.title] = replace(first, passages=both)
    return tuple(found.values())


def content_key(passage: Passage) -> int:
    """A number that stands for all that a passage's encoding depends on: words and sentences.

    Passages with the same key have the same words but for one chance in 2⁶⁴ a pair: who relies
    on it compares the words too.
    """
    hashed = hashlib.blake2b(passage.text.encode(), digest_size=8)
    hashed.update(sentence_spans(passage, -passage.start).tobytes())
    return int.from_bytes(hashed.digest(), "little", signed=True)


def sentence_spans(passage: Passage, shift: int = 0) -> NDArray[np.int32]:
    """The passage's sentences, shape (sentences, 2), int32: start and end, ``shift`` added."""
    spans = [(span.start + shift, span.end + shift) for span in passage.sentences]
    return np.array(spans, dtype=np.int32).reshape(-1, 2)


@sound
def unpacked(blob: bytes, dimension: int) -> Vectors:
    """Sentence vectors as they lie in the store, shape (sentences, dimension), float32."""
    halves = np.frombuffer(blob, dtype=np.int16).reshape(-1, dimension)
    if (halves & _EXPONENT == _EXPONENT).any():
        raise damaged("a vector is not finite")
    return _widened(halves)


_EXPONENT = np.int16(0x7C00)
"""Where a half-precision number has its exponent; infinities and NaN have all of it set."""


def _widened(halves: NDArray[np.int16]) -> NDArray[np.float32]:
    """Finite half-precision numbers, as their bits, in single precision.

    What ``astype`` gives, in a fifth of the time: it takes them one by one. The bits go where
    single precision has them, without the copies of the sign that come along, and the factor is
    for exponents that count from 15 here and from 127 there.
    """
    wide = halves.astype(np.int32)
    wide <<= 13
    wide &= ~0x70000000
    numbers = wide.view(np.float32)
    numbers *= np.float32(2.0**112)
    return numbers


@dataclass(frozen=True, slots=True, eq=False)
class NewPassage:
    """What the word index needs of a passage that it lacks; ``language`` is its document's."""

    key: int
    text: str
    title: str
    headings: tuple[str, ...]
    language: str | None


@dataclass(frozen=True, slots=True, eq=False)
class StoredTokens:
    """What one passage is ordered by: its token bits, how many tokens each of its sentences has,
    its words, and its document's id and where in it the passage begins.

    ``title`` are the bits of the headings that lead its document; none where nothing leads it.
    """

    key: int
    counts: NDArray[np.int32]
    bits: TokenBits
    title: TokenBits
    text: str
    place: tuple[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class PieceFrequencies:
    """In how many of ``passages`` passages each word piece occurs."""

    passages: int
    _frequency: Mapping[int, int]

    def of(self, pieces: NDArray[np.int32]) -> NDArray[np.int64]:
        """The number of passages with each of ``pieces``; 0 for those never seen."""
        return np.array([self._frequency.get(int(piece), 0) for piece in pieces], dtype=np.int64)
