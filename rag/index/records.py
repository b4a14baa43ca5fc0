"""What an engine takes and returns, beside the types that flow through the whole program."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from typing import Literal, ParamSpec, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.errors import LibraryDamaged
from rag.types import DocumentCount, Failure, Passage
from rag.types.arrays import TokenBits, Vectors

_Asked = ParamSpec("_Asked")
_Found = TypeVar("_Found")


def sound(read: Callable[_Asked, _Found]) -> Callable[_Asked, _Found]:
    """Decorator: report nonsensical stored values as damage, as none are ever written."""

    @wraps(read)
    def checked(*args: _Asked.args, **kwargs: _Asked.kwargs) -> _Found:
        try:
            return read(*args, **kwargs)
        except (ValueError, TypeError, LookupError, OverflowError) as error:
            raise damaged(str(error)) from error

    return checked


def damaged(what: str) -> LibraryDamaged:
    """The error for stored data that differs from what was written."""
    return LibraryDamaged(
        f"the library's store is damaged ({what}); rag verify lists the affected documents, and "
        "rag verify --repair fixes what can be fixed"
    )


Order: TypeAlias = Literal["newest", "oldest", "title", "source", "language", "pages", "passages"]
"""Sort order of a list of documents: by date, those with only a modification time last; by title,
path or language, those without one last; or by number of pages or passages, most first."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file as of when it was last read.

    ``reader`` is how it was read, so that it can be read again when there is something better;
    ``failures`` are the parts that could not be read, the whole file or documents in it.
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
        """OCR languages with which it was read; None if without OCR."""
        _, languages, _ = self._reader
        return None if languages == "-" else languages

    @property
    def max_document(self) -> int:
        """Memory limit for reading it, in bytes; 0 if unknown."""
        return int(self._reader[2])

    @property
    def _reader(self) -> list[str]:
        return [*self.reader.split(" "), "-", "0"][:3]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a document was found: a file, or an entry of a file that holds several."""

    path: str
    file: str
    document_id: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a library holds; ``languages`` are numbers of documents, with ``""`` for unknown."""

    documents: int
    passages: int
    sentences: int
    languages: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage with the metadata of its document that a hit shows."""

    key: int
    passage: Passage
    title: str
    date: dt.date | None
    date_from: str | None
    sources: tuple[str, ...]


def together(counts: Iterable[DocumentCount]) -> tuple[DocumentCount, ...]:
    """Counts by document, with the parts of a document added up."""
    found: dict[tuple[str, str], DocumentCount] = {}
    for one in counts:
        first = found.setdefault((one.source, one.title), one)
        if first is not one:
            both = first.passages + one.passages
            found[one.source, one.title] = replace(first, passages=both)
    return tuple(found.values())


def content_key(passage: Passage) -> int:
    """A 64-bit hash of all that a passage's encoding depends on: text and sentence boundaries.

    Two different passages collide with probability 2⁻⁶⁴, so callers must compare the text too.
    """
    hashed = hashlib.blake2b(passage.text.encode(), digest_size=8)
    hashed.update(sentence_spans(passage, -passage.start).tobytes())
    return int.from_bytes(hashed.digest(), "little", signed=True)


def sentence_spans(passage: Passage, shift: int = 0) -> NDArray[np.int32]:
    """The passage's sentence spans plus ``shift``, shape (sentences, 2), int32: start and end."""
    spans = [(span.start + shift, span.end + shift) for span in passage.sentences]
    return np.array(spans, dtype=np.int32).reshape(-1, 2)


@sound
def unpack_vectors(blob: bytes, dimension: int) -> Vectors:
    """Decode stored sentence vectors, shape (sentences, dimension), float32."""
    halves = np.frombuffer(blob, dtype=np.int16).reshape(-1, dimension)
    if (halves & _EXPONENT == _EXPONENT).any():
        raise damaged("a vector is not finite")
    return _to_single_precision(halves)


_EXPONENT = np.int16(0x7C00)
"""Exponent bits of a half-precision number; all set for infinities and NaN."""


def _to_single_precision(halves: NDArray[np.int16]) -> NDArray[np.float32]:
    """Convert finite half-precision numbers, given as bits, to single precision.

    Same result as ``astype`` in a fifth of the time, since that converts one by one. Shifts the
    bits to their place in single precision, masks the copies of the sign bit, and multiplies by a
    factor for the different exponent biases, 15 and 127.
    """
    wide = halves.astype(np.int32)
    wide <<= 13
    wide &= ~0x70000000
    numbers = wide.view(np.float32)
    numbers *= np.float32(2.0**112)
    return numbers


@dataclass(frozen=True, slots=True, eq=False)
class StoredTokens:
    """What late interaction needs of a passage: its token bits, the number of tokens per sentence,
    its text, and its document's id and its position there.

    ``title`` are the bits of the headings at the beginning of its document; empty if there are
    none.
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
        """Number of passages with each of ``pieces``; 0 for those never seen."""
        return np.array([self._frequency.get(int(piece), 0) for piece in pieces], dtype=np.int64)
